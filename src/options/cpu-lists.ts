/** Beyond the largest CONFIG_NR_CPUS of a stock kernel; sched_setaffinity refuses what the host does not have. */
export const MAX_CPU = 8191;

const PART = /^(\d+)(?:-(\d+))?$/;

/** CPUs of "2-5,8" in the order written, or undefined where one is malformed, out of range or named twice. */
export function parseCpuList(text: string): number[] | undefined {
  const cpus: number[] = [];
  for (const part of text.split(",")) {
    const match = PART.exec(part.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first || last > MAX_CPU) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
    if (cpus.length > MAX_CPU + 1) return undefined;
  }
  return checkCpus(cpus);
}

/** The same checks for CPUs that came as numbers. */
export function checkCpus(cpus: readonly unknown[]): number[] | undefined {
  const valid = cpus.filter(
    (cpu): cpu is number => Number.isInteger(cpu) && Number(cpu) >= 0 && Number(cpu) <= MAX_CPU,
  );
  const distinct = new Set(valid).size === cpus.length;
  return cpus.length > 0 && valid.length === cpus.length && distinct ? valid : undefined;
}

/** As the option is written: a group by its name. */
export function formatCpus(cpus: readonly number[] | string): string {
  return typeof cpus === "string" ? cpus : formatCpuList(cpus);
}

/** The shortest spelling that keeps the order: [2, 3, 4, 5, 8] is "2-5,8". */
export function formatCpuList(cpus: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < cpus.length;) {
    let end = start;
    while (cpus[end + 1] === (cpus[end] as number) + 1) end++;
    parts.push(end === start ? String(cpus[start]) : `${cpus[start]}-${cpus[end]}`);
    start = end + 1;
  }
  return parts.join(",");
}
