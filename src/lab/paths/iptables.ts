import { LabError } from "../lab-error.js";
import { betweenPods, type Built, type Path } from "../path.js";
import { attachRoutedPods, POD_VETH, type Site } from "../site.js";
import { CONNTRACK, IPTABLES } from "../tools.js";
import { forgetFlows, packetsOf, trackedFlows } from "./netfilter.js";

/** As kube-proxy writes them: every new connection walks the list of services, which none of the lab's is in. */
function serviceRules(services: number): string[] {
  const chains: string[] = [":LAB-SERVICES - [0:0]"];
  const rules = ["-A PREROUTING -j LAB-SERVICES", "-A OUTPUT -j LAB-SERVICES"];
  for (let n = 0; n < services; n++) {
    const address = `10.96.${(n >> 8) & 255}.${n & 255}`;
    chains.push(`:LAB-SVC-${n} - [0:0]`);
    rules.push(
      `-A LAB-SERVICES -d ${address}/32 -p tcp -m comment --comment "service ${n}" -m tcp --dport 80 -j LAB-SVC-${n}`,
      `-A LAB-SVC-${n} -p tcp -j DNAT --to-destination 10.77.9.9:8080`,
    );
  }
  rules.push('-A LAB-SERVICES -m comment --comment "no service"');
  return ["*nat", ...chains, ...rules, "COMMIT"];
}

/** As Calico writes them: what is known passes, a new connection walks the pod's policies, the last of which lets it in. */
function policyRules(policies: number, untracked: boolean): string[] {
  const chains = [":LAB-FORWARD - [0:0]", ":LAB-POD - [0:0]"];
  const rules = [
    "-A FORWARD -j LAB-FORWARD",
    ...(untracked ? ["-A LAB-FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT"] : []),
    `-A LAB-FORWARD -i ${POD_VETH} -j LAB-POD`,
    `-A LAB-FORWARD -o ${POD_VETH} -j LAB-POD`,
    "-A LAB-POD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A LAB-POD -m conntrack --ctstate INVALID -j DROP",
  ];
  for (let n = 0; n < policies; n++) {
    const source = `10.200.${(n >> 8) & 255}.${n & 255}`;
    chains.push(`:LAB-POLICY-${n} - [0:0]`);
    rules.push(
      `-A LAB-POD -m comment --comment "policy ${n}" -j LAB-POLICY-${n}`,
      `-A LAB-POLICY-${n} -s ${source}/32 -p tcp -m tcp --dport 80 -j ACCEPT`,
    );
  }
  rules.push('-A LAB-POD -p tcp -m comment --comment "allowed" -j ACCEPT', "-A LAB-POD -p icmp -j ACCEPT");
  return ["*filter", ...chains, ":FORWARD DROP [0:0]", ...rules, "COMMIT"];
}

const NOTRACK_RULES = [
  "*raw",
  ":PREROUTING ACCEPT [0:0]",
  "-A PREROUTING -s 10.77.0.0/16 -d 10.77.0.0/16 -p tcp -j CT --notrack",
  "COMMIT",
];

async function build(site: Site, notrack: boolean): Promise<Built> {
  await attachRoutedPods(site);
  const rules = [
    ...(notrack ? NOTRACK_RULES : []),
    ...serviceRules(site.services),
    ...policyRules(site.policies, notrack),
  ];
  for (const { host } of site.nodes) await host.run(["iptables-restore"], { input: `${rules.join("\n")}\n` });
  return {
    ...betweenPods(site),
    verify: (traffic) => (notrack ? verifyNotrack(site, traffic) : verify(site, traffic)),
    ...(!notrack && {
      reset: async () => {
        for (const { host } of site.nodes) await forgetFlows(host);
      },
    }),
  };
}

async function verify({ nodes }: Site, traffic: () => Promise<number>): Promise<string[]> {
  const connections = await traffic();
  const seen: string[] = [];
  for (const { host, side } of nodes) {
    const tracked = await trackedFlows(host);
    const walked = await packetsOf(host, "nat", "LAB-SERVICES", "no service");
    const allowed = await packetsOf(host, "filter", "LAB-POD", "allowed");
    if (tracked < connections || walked < connections || allowed < connections) {
      throw notInForce(side, connections, `tracked ${tracked}, service chain ${walked}, policy chain ${allowed}`);
    }
    seen.push(
      `${side} node, ${connections} connections: conntrack -L lists ${tracked} flows, ${walked} connections walked the services and ${allowed} the policies`,
    );
  }
  return seen;
}

async function verifyNotrack({ nodes }: Site, traffic: () => Promise<number>): Promise<string[]> {
  const connections = await traffic();
  const seen: string[] = [];
  for (const { host, side } of nodes) {
    const tracked = await trackedFlows(host);
    const untracked = await packetsOf(host, "raw", "PREROUTING", "CT");
    if (tracked > 0 || untracked < connections) {
      throw notInForce(side, connections, `tracked ${tracked} flows, NOTRACK hit by ${untracked} packets`);
    }
    seen.push(
      `${side} node, ${connections} connections: conntrack -L lists no flow of the pods, NOTRACK was hit by ${untracked} packets`,
    );
  }
  return seen;
}

function notInForce(side: string, connections: number, found: string): LabError {
  return new LabError(`the rules of the ${side} node are not in force: of ${connections} connections ${found}`);
}

const builds =
  "pods behind routed veths; chains of services (--services) in nat and of policies (--policies) in filter";

export const iptables: Path = {
  name: "iptables",
  models: "Calico's iptables mode with kube-proxy: routing, conntrack, service and policy chains",
  builds,
  differs:
    "chains as long and as linear as the products', but fewer marks, sets and hooks per packet; pods are addressed directly, so that every new connection walks the services without a match; connection tracking is emptied between runs",
  needs: [IPTABLES, CONNTRACK],
  build: (site) => build(site, false),
};

export const iptablesNotrack: Path = {
  name: "iptables-notrack",
  models: "the same with NOTRACK for the pods' TCP, the article's cure for the collapse of TCP_CRR",
  builds: `${builds}; CT --notrack in raw, and what is not tracked passes`,
  differs:
    "Calico's doNotTrack policies would decide in raw as well; here everything between pods is let through there",
  needs: [IPTABLES, CONNTRACK],
  build: (site) => build(site, true),
};
