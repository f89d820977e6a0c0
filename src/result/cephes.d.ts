/** The part of cephes that is used here; its own declarations are out of reach for an ESM import. */
declare module "cephes" {
  /** Resolves when the WebAssembly module is ready. */
  export const compiled: Promise<void>;
  /** The x at which the regularized incomplete beta integral of a and b reaches y. */
  export function incbi(a: number, b: number, y: number): number;
}
