/** netserver's command line. */
import { NetperfExit } from "../client/exit.js";
import { getopt } from "../client/getopt.js";
import { type Family, explicit, family, number } from "../client/values.js";

const DEFAULT_PORT = 12_865;

export interface NetserverSettings {
  /** "" = every address. */
  host: string;
  family: Family;
  port: number;
  foreground: boolean;
  /** One client after another. */
  single: boolean;
  passphrase: string | undefined;
}

const USAGE = `
Usage: netserver [options]

Options (cnb-load's netserver; it serves cnb-load's own clients, too):
    -D                stay in the foreground
    -L name[,family]  listen on this address only
    -p port           control port (12865)
    -4, -6            listen on IPv4, IPv6
    -f                one client after another
    -Z passphrase     what clients must send first
    -N, -d, -n, -v    accepted, without effect
    -h                this;  -V  version
`;

/** Throws NetperfExit. */
export function parseNetserver(args: readonly string[]): NetserverSettings {
  const { found, complaints } = getopt("netserver", args, "46dDfhL:n:Np:v:VZ:", () => false);
  if (complaints.length > 0) throw new NetperfExit(1, { err: `${complaints[0] ?? ""}\n${USAGE}` });
  const settings: NetserverSettings = {
    ...{ host: "", family: "any", port: DEFAULT_PORT, foreground: false, single: false, passphrase: undefined },
  };
  for (const { option, value } of found) apply(settings, option, value);
  if (settings.port < 0 || settings.port > 65_535) {
    throw new NetperfExit(1, { err: `netserver: -p ${settings.port}: expected a port from 0 to 65535\n` });
  }
  return settings;
}

function apply(settings: NetserverSettings, option: string, value: string): void {
  switch (option) {
    case "4":
    case "6":
      settings.family = option === "4" ? "ipv4" : "ipv6";
      return;
    case "D":
      settings.foreground = true;
      return;
    case "f":
      settings.single = true;
      return;
    case "h":
      throw new NetperfExit(1, { err: USAGE });
    case "L": {
      const [host, af] = explicit(value);
      settings.host = host ?? "";
      if (af !== undefined) settings.family = family(af);
      return;
    }
    case "p":
      settings.port = number(value);
      return;
    case "V":
      throw new NetperfExit(0, { out: "Netperf version 2.7.1\n" });
    case "Z":
      settings.passphrase = value;
      return;
    default:
      return;
  }
}

const FAMILIES: Readonly<Record<Family, string>> = { any: "AF_UNSPEC", ipv4: "AF_INET", ipv6: "AF_INET6" };

function place({ host, family: af }: NetserverSettings, port: number): string {
  return `'${host === "" ? "IN(6)ADDR_ANY" : host}' port '${port}' and family ${FAMILIES[af]}`;
}

export function startedLine(settings: NetserverSettings, port: number): string {
  return `Starting netserver with host ${place(settings, port)}\n`;
}

export function failedLine(settings: NetserverSettings): string {
  return `Unable to start netserver with  ${place(settings, settings.port)}\n`;
}

/** The address to listen on; "" = every address of both families. */
export function listenAddress({ host, family: af }: NetserverSettings): string {
  if (host !== "") return host;
  return { any: "", ipv4: "0.0.0.0", ipv6: "::" }[af];
}
