/** The whole library in one file: the package's main entry loads hundreds, which takes seconds. */
declare module "echarts/dist/echarts.esm.min.mjs" {
  export * from "echarts";
}
