/** "1.2 %", "44 %", "131 %": two digits, more where there are more before the point. */
export function roughPercent(percent: number): string {
  return `${percent < 99.5 ? percent.toPrecision(2) : percent.toFixed(0)} %`;
}
