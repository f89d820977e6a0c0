/** Something that the lab builds, checks or starts failed; the message is for people. */
export class LabError extends Error {
  override readonly name = "LabError";
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
