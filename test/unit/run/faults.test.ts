import { describe, expect, it } from "vitest";
import { errorOfConstruction, errorOfFault } from "../../../src/run/faults.js";
import { faultOf } from "../../fakes/fake-addon.js";

describe("errorOfFault", () => {
  it.each([
    ["connect", "ECONNREFUSED", "connect", "ERR_CONNECT"],
    ["connect", "TIMEOUT", "connect", "ERR_CONNECT"],
    ["connect", "EADDRNOTAVAIL", "connect", "ERR_PORTS_EXHAUSTED"],
    ["connect", "EADDRINUSE", "bind", "ERR_PORTS_EXHAUSTED"],
    ["connect", "EMFILE", "socket", "ERR_LIMIT"],
    ["admit", "ENFILE", "accept", "ERR_LIMIT"],
    ["admit", "TIMEOUT", "accept", "ERR_TIMEOUT"],
    ["buffers", "ENOMEM", "mmap", "ERR_LIMIT"],
    ["thread", "EAGAIN", "", "ERR_LIMIT"],
    ["pin", "EINVAL", "sched_setaffinity", "ERR_PLATFORM"],
    ["traffic", "EIO", "send", "ERR_TRAFFIC"],
    ["traffic", "PEER_CLOSED", "", "ERR_PEER_LOST"],
    ["traffic", "ECONNRESET", "recv", "ERR_PEER_LOST"],
  ])("in %s, %s of %s, is %s", (phase, code, syscall, expected) => {
    expect(errorOfFault(faultOf(phase, code, { syscall })).code).toBe(expected);
  });

  it.each([
    ["connect", "EADDRNOTAVAIL", "bind", "192.0.2.1:0", "bind"],
    ["thread", "ENOENT", "setsockopt", "TCP_CONGESTION nonesuch", "congestion"],
    ["connect", "EINVAL", "setsockopt", "TCP_MAXSEG", "mss"],
  ])("in %s, %s of %s %s, names the option %s", (phase, code, syscall, address, option) => {
    const error = errorOfFault(faultOf(phase, code, { syscall, address, errno: 1 }));
    expect(error).toMatchObject({ code: "ERR_INVALID_OPTION", option, syscall });
    expect(error.message).toMatch(new RegExp(`^${option}: `));
    expect(error.address).toBe(syscall === "bind" ? address : undefined);
  });

  it("keeps what is known and leaves out what is not", () => {
    const error = errorOfFault(
      faultOf("connect", "ECONNREFUSED", {
        syscall: "connect",
        errno: 111,
        address: "10.0.0.1:5",
        message: "connect 10.0.0.1:5",
      }),
    );
    expect(error).toMatchObject({ syscall: "connect", errno: 111, address: "10.0.0.1:5" });
    expect(error.message).toBe("connecting the flows: connect 10.0.0.1:5 (ECONNREFUSED)");
    expect(errorOfFault(faultOf("traffic", "PEER_CLOSED"))).not.toHaveProperty("syscall");
    expect(errorOfFault(faultOf("traffic", "ECONNRESET")).message).toMatch(/^the other end was lost during the test: /);
    expect(errorOfFault(faultOf("traffic", "EIO")).message).toMatch(/^during the test: /);
  });

  it("tells what to do where a process meets its limit of open files all the same", () => {
    const { message } = errorOfFault(faultOf("thread", "EMFILE", { syscall: "epoll_create1", errno: 24 }));
    expect(message).toMatch(/^starting the workers: [^;]*EMFILE[^;]*; raise [^;]*`ulimit -n`$/);
  });
});

describe("errorOfConstruction", () => {
  const thrown = (fields: object) => Object.assign(new Error("listen 0.0.0.0:80: EACCES"), fields);

  it("tells a listener that cannot be had from a plan that cannot be run", () => {
    const error = errorOfConstruction(thrown({ code: "EACCES", syscall: "bind", errno: 13, address: "0.0.0.0:80" }));
    expect(error).toMatchObject({ code: "ERR_LISTEN", syscall: "bind", errno: 13, address: "0.0.0.0:80" });
    expect(errorOfConstruction(new RangeError("flows: expected 1")).code).toBe("ERR_INVALID_OPTION");
    expect(errorOfConstruction(thrown({ code: "EMFILE", syscall: "socket", errno: 24 })).code).toBe("ERR_LIMIT");
    expect(errorOfConstruction("odd").code).toBe("ERR_PLATFORM");
  });
});
