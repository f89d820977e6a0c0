import { describe, expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { loadAddon } from "../../../src/native/index.js";

function thrownBy(action: () => unknown): CnbLoadError {
  try {
    action();
  } catch (error) {
    if (error instanceof CnbLoadError) return error;
  }
  throw new Error("expected a CnbLoadError");
}

describe("loadAddon", () => {
  it("loads the package's own build by default and another one where it is told to", () => {
    const paths: string[] = [];
    const load = (path: string) => {
      paths.push(path);
      return { path };
    };
    loadAddon({ platform: "linux", arch: "x64", override: undefined, load });
    loadAddon({ platform: "linux", arch: "x64", override: "/elsewhere/cnb_load.node", load });
    expect(paths[0]).toMatch(/^\/.*\/build\/Release\/cnb_load\.node$/);
    expect(paths[1]).toBe("/elsewhere/cnb_load.node");
  });

  it("takes the one that came with the package where none was compiled", () => {
    const load = (path: string) => {
      if (path.includes("/build/")) throw new Error("Cannot find module");
      return { path };
    };
    const loaded: unknown = loadAddon({ platform: "linux", arch: "arm64", override: undefined, load });
    expect(loaded).toMatchObject({
      path: expect.stringMatching(/\/prebuilds\/linux-arm64\/cnb_load\.node$/) as string,
    });
  });

  it("says on other systems that Linux is needed, without trying", () => {
    const error = thrownBy(() =>
      loadAddon({ platform: "darwin", arch: "arm64", override: undefined, load: () => expect.unreachable() }),
    );
    expect(error.code).toBe("ERR_PLATFORM");
    expect(error.message).toContain("darwin");
  });

  it("says what was tried and how to build it", () => {
    const load = () => {
      throw new Error("Cannot find module\nRequire stack:\n- somewhere");
    };
    const error = thrownBy(() => loadAddon({ platform: "linux", arch: "x64", override: undefined, load }));
    expect(error.code).toBe("ERR_PLATFORM");
    const tried = ["build/Release", "prebuilds/linux-x64"].map(
      (folder) => `${folder}/cnb_load\\.node: Cannot find module; .*`,
    );
    expect(error.message).toMatch(new RegExp(`${tried.join("")}node-gyp rebuild`));
    expect(error.message).not.toContain("\n");
    const elsewhere = thrownBy(() => loadAddon({ platform: "linux", arch: "x64", override: "/x.node", load }));
    expect(elsewhere.message).toContain("CNB_LOAD_ADDON");
  });
});
