/** deploy/k8s against the schemas of Kubernetes, as the npm package kubernetes-models has them, and against themselves. */
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Manifest, POD_ARGS } from "./manifests.js";
import { exec, ROOT } from "./support.js";

/** Fetched for this test alone: nothing else of the project knows Kubernetes. */
const MODELS = "kubernetes-models@5.1.0";

/** Throws where one is not what its schema says. */
const VALIDATE = `
for (const manifest of JSON.parse(process.argv[1])) {
  const { [manifest.kind]: Model } = await import("kubernetes-models/v1/" + manifest.kind);
  new Model(manifest).validate();
}`;

let folder: string;
const manifests: Manifest[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-manifests-"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await exec("npm", ["install", ...quiet, "--prefix", folder, MODELS]);
  const files = await readdir(join(ROOT, "deploy/k8s"));
  for (const file of files) {
    for (const document of parseAllDocuments(await readFile(join(ROOT, "deploy/k8s", file), "utf8"))) {
      expect(document.errors, file).toEqual([]);
      manifests.push(document.toJSON() as Manifest);
    }
  }
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const ofKind = (kind: Manifest["kind"]) => manifests.filter((manifest) => manifest.kind === kind);

/** What the compiler says of objects that are written as these types. Unknown fields are errors in object literals. */
async function typeErrors(name: string, objects: readonly Manifest[]): Promise<string> {
  const lines = objects.map(
    (object, index) => `export const value${index}: I${object.kind} = ${JSON.stringify(object)};`,
  );
  const imports = ["Pod", "Service"].map((kind) => `import type { I${kind} } from "kubernetes-models/v1/${kind}";`);
  await writeFile(join(folder, `${name}.ts`), `${[...imports, ...lines].join("\n")}\n`);
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "node10"];
  return exec(process.execPath, [tsc, ...options, `${name}.ts`], { cwd: folder }).then(
    () => "",
    (error: unknown) => (error as { stdout: string }).stdout,
  );
}

describe("the manifests", () => {
  it("are what Kubernetes knows", async () => {
    expect(ofKind("Pod").length + ofKind("Service").length).toBe(manifests.length);
    expect(manifests.length).toBeGreaterThan(5);
    expect(await typeErrors("right", manifests)).toBe("");
    await exec(process.execPath, ["--input-type=module", "-e", VALIDATE, JSON.stringify(manifests)], { cwd: folder });
    const [pod] = ofKind("Pod");
    const misspelt = { ...pod, spec: { ...pod?.spec, nodeSelecter: {} } } as unknown as Manifest;
    expect(await typeErrors("wrong", [misspelt])).toContain("nodeSelecter");
  }, 120_000);

  it("run what the test of the image runs, on whole CPUs of their own, with no privilege", () => {
    for (const { spec } of ofKind("Pod")) {
      const [container] = spec.containers ?? [];
      expect(container?.args).toEqual([...POD_ARGS]);
      expect(container?.resources.requests).toEqual(container?.resources.limits);
      expect(container?.resources.limits["cpu"]).toMatch(/^\d+$/);
      expect(container?.securityContext).toMatchObject({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
      });
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 });
      expect(["client", "server"]).toContain(spec.nodeSelector?.["cnb-load"]);
    }
  });

  it("have services that reach every port of one pod", () => {
    for (const { metadata, spec } of ofKind("Service")) {
      const pods = ofKind("Pod").filter((pod) => pod.metadata.labels?.["app"] === spec.selector?.["app"]);
      expect(pods, metadata.name).toHaveLength(1);
      const offered = pods[0]?.spec.containers?.[0]?.ports.map(
        (port) => `${port.containerPort}/${port.protocol ?? "TCP"}`,
      );
      expect(spec.ports?.map((port) => `${port.port}/${port.protocol ?? "TCP"}`)).toEqual(offered);
    }
  });
});
