import { describe, expect, it } from "vitest";
import { allowList, plainAddress } from "../../../src/control/addresses.js";

describe("plainAddress", () => {
  it.each([
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:10.0.0.1", "10.0.0.1"],
    ["10.0.0.1", "10.0.0.1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["::ffff:1", "::ffff:1"],
  ])("%s is %s", (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});

describe("allowList", () => {
  it("lets everyone in when it is empty", () => {
    expect(allowList([])("203.0.113.9")).toBe(true);
  });

  it("knows networks of both families, mapped addresses and scopes", () => {
    const allowed = allowList(["10.0.0.0/8", "fe80::/10", "192.0.2.7/32"]);
    expect(["10.255.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "192.0.2.7"].map(allowed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["11.0.0.1", "2001:db8::1", "192.0.2.8", "", "nonsense"].map(allowed)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
