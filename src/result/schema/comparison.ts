import { Type } from "typebox";
import { count, figure, list, text } from "./fields.js";
import { TestNameSchema } from "./spec.js";

const { Optional } = Type;

const percent = (description: string) => Type.Number({ description });

/** The same of both sides. */
const bothSides = <Shape extends Parameters<typeof Type.Array>[0]>(shape: Shape, description: string) =>
  Type.Object({ base: shape, new: shape }, { description });

const pairKey = {
  test: TestNameSchema,
  flows: count("TCP connections alive at a time"),
  options: Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "Options, by their names in a result's spec, that tell results of the same test and flows apart",
    }),
  ),
};

const PairKeySchema = Type.Object(pairKey, { description: "What a result is paired by" });

const MetricComparisonSchema = Type.Object(
  {
    metric: Type.Enum(["throughput", "transactions", "latencyP50", "latencyP99", "clientCpu", "serverCpu"], {
      description: "What was compared; clientCpu and serverCpu are the service demand of that host",
    }),
    unit: Type.Enum(["bitsPerSecond", "perSecond", "ns", "nsPerTransaction", "nsPerKiB"], {
      description: "Unit of base and new",
    }),
    direction: Type.Enum(["higherIsBetter", "lowerIsBetter"], { description: "Which way is better" }),
    base: figure("Mean over the runs of the base"),
    new: figure("Mean over the runs of the new side"),
    differencePct: percent("new / base - 1, percent"),
    interval: Optional(
      Type.Object(
        {
          lowPct: percent("Lower end, percent"),
          highPct: percent("Upper end, percent"),
          method: Type.Enum(["welch", "bootstrap"], {
            description:
              "welch: over the runs of both sides; bootstrap: over the transactions of one run of each side, blind to how runs differ",
          }),
          degreesOfFreedom: Optional(figure("Welch and Satterthwaite's, not whole (welch)")),
        },
        { description: "Confidence interval of differencePct; absent where the runs cannot give one" },
      ),
    ),
    verdict: Type.Enum(["better", "worse", "noDifferenceShown", "tooNoisy", "notRepeated"], {
      description:
        "better, worse: the whole interval lies on that side; noDifferenceShown: it holds 0 and is at most resolutionPct to each side; tooNoisy: it holds 0 and is wider; notRepeated: a side has a single run, and a mean needs several",
    }),
    furtherRuns: Optional(
      count(
        "tooNoisy: further runs of each side that would bring the interval down to resolutionPct, or show the difference, if means and spread stay what they are; absent where 1000 would not",
      ),
    ),
    regression: Optional(
      Type.Boolean({
        description:
          "Shown to be worse by at least failOnRegressionPct: the whole interval lies there. Only where that was given",
      }),
    ),
  },
  { description: "One metric of both sides" },
);

const PairComparisonSchema = Type.Object(
  {
    ...pairKey,
    runs: bothSides(count("Completed runs"), "Runs of each side"),
    changed: list(
      Type.Object(
        {
          path: text('Where it stands in a result, e.g. "spec.engine" or "host.remote.kernel"'),
          base: Optional(Type.Unknown({ description: "Its value in the base" })),
          new: Optional(Type.Unknown({ description: "Its value in the new side" })),
        },
        { description: "One thing that differs" },
      ),
      "What else differs between the two sides: options, engines, hosts",
    ),
    warnings: bothSides(list(text("Code"), "Codes, each once"), "Warnings that the results of each side carry"),
    metrics: list(MetricComparisonSchema, "Every metric that both sides have"),
  },
  { description: "Results of one test that both sides have" },
);

/** Whether two sets of results differ, schema `cnb-load/comparison/1`. */
export const ComparisonSchema = Type.Object(
  {
    schema: Type.Literal("cnb-load/comparison/1", { description: "Name and version of this schema" }),
    confidence: figure("Confidence level of every interval, 0 to 1"),
    resolutionPct: figure(
      "Half width of an interval, percent, from which on a difference counts as too noisy to tell: failOnRegressionPct, else 5",
    ),
    failOnRegressionPct: Optional(figure("Size of a regression that was asked to be told, percent")),
    pairs: list(PairComparisonSchema, "What both sides have, in the base's order"),
    unpaired: bothSides(list(PairKeySchema, "What it is"), "What only one side has"),
    unusable: bothSides(count("Results"), "Results without a completed run, which were left out"),
    regressions: count("Metrics with regression true"),
  },
  {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "cnb-load comparison",
    description: "What `cnb-load compare --json` writes. Differences are of new against base.",
  },
);
