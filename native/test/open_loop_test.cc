// Open loops: when requests are due, and what becomes of them on every engine.

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "loops/schedule.h"
#include "session_pair.h"

namespace cnb::test {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

Plan paced(LoopKind loop, Engine engine, uint32_t flows, uint64_t rate, Spacing spacing) {
  Plan plan = plan_for(loop, engine, flows);
  plan.rate = rate;
  plan.spacing = spacing;
  if (engine != Engine::block) plan.cpus = workers(1);
  return plan;
}

std::vector<uint64_t> dues(const Plan& plan, size_t flow, size_t count) {
  Schedule schedule(plan, flow, kSecond);
  std::vector<uint64_t> all;
  for (size_t i = 0; i < count; i++, schedule.advance()) all.push_back(schedule.due());
  return all;
}

TEST(Schedule, SpacesEvenlyWithAPhaseForEachFlow) {
  // 7 flows of 3/s: a gap that is no whole number of nanoseconds must not drift.
  const Plan plan = paced(LoopKind::rr, Engine::epoll, 7, 3, Spacing::constant);
  const double gap = 7e9 / 3;
  std::vector<uint64_t> phases;
  for (size_t flow = 0; flow < plan.flows; flow++) {
    const std::vector<uint64_t> due = dues(plan, flow, 10'000);
    EXPECT_GE(due[0], kSecond);
    EXPECT_LE(static_cast<double>(due[0] - kSecond), gap);
    EXPECT_NEAR(static_cast<double>(due.back() - due[0]), gap * 9'999, 2);
    phases.push_back(due[0]);
  }
  std::sort(phases.begin(), phases.end());
  EXPECT_EQ(std::unique(phases.begin(), phases.end()), phases.end());
}

TEST(Schedule, SpacesExponentially) {
  const Plan plan = paced(LoopKind::rr, Engine::epoll, 2, 2'000, Spacing::poisson);
  constexpr size_t kCount = 200'000;
  const std::vector<uint64_t> due = dues(plan, 1, kCount + 1);
  const double mean = 1e6;
  double square = 0;
  size_t long_ones = 0;
  for (size_t i = 0; i < kCount; i++) {
    const double gap = static_cast<double>(due[i + 1] - due[i]);
    square += (gap - mean) * (gap - mean);
    long_ones += gap > mean;
  }
  // The generator is seeded by the plan: these are no chances, and five standard errors wide.
  EXPECT_NEAR(static_cast<double>(due[kCount] - due[0]) / kCount, mean, mean * 5 / std::sqrt(kCount));
  EXPECT_NEAR(std::sqrt(square / kCount), mean, mean * 0.02);
  EXPECT_NEAR(static_cast<double>(long_ones) / kCount, std::exp(-1), 0.006);
}

TEST(Schedule, DiffersFromFlowToFlowAndFromSessionToSession) {
  Plan plan = paced(LoopKind::rr, Engine::epoll, 2, 2'000, Spacing::poisson);
  const std::vector<uint64_t> one = dues(plan, 0, 3);
  EXPECT_EQ(dues(plan, 0, 3), one);
  EXPECT_NE(dues(plan, 1, 3), one);
  plan.cookie[0]++;
  EXPECT_NE(dues(plan, 0, 3), one);
}

TEST(Schedule, CountsWhatIsDue) {
  const Plan plan = paced(LoopKind::rr, Engine::epoll, 1, 1'000, Spacing::constant);
  const Schedule schedule(plan, 0, kSecond);
  const uint64_t first = schedule.due();
  EXPECT_EQ(schedule.due_until(0), 0u);
  EXPECT_EQ(schedule.due_until(first - 1), 0u);
  EXPECT_EQ(schedule.due_until(first), 1u);
  EXPECT_EQ(schedule.due_until(first + 10'500'000), 11u);
}

struct Case {
  std::string name;
  Plan plan;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Engine engine : kEngines) {
    for (const LoopKind loop : {LoopKind::rr, LoopKind::crr}) {
      const std::string prefix = name_of(engine) + (loop == LoopKind::rr ? "_rr" : "_crr");
      all.push_back({prefix, paced(loop, engine, 1, 2'000, Spacing::constant)});
      all.push_back({prefix + "_5_flows", paced(loop, engine, 5, 2'000, Spacing::constant)});
      all.push_back({prefix + "_poisson", paced(loop, engine, 3, 2'000, Spacing::poisson)});
      // More than can be had.
      all.push_back({prefix + "_flood", paced(loop, engine, 2, 500'000'000, Spacing::constant)});
    }
    Case burst{name_of(engine) + "_rr_burst", paced(LoopKind::rr, engine, 2, 5'000, Spacing::constant)};
    burst.plan.burst = 7;
    burst.plan.request = 100;
    burst.plan.response = 3;
    all.push_back(burst);
  }
  return all;
}

uint64_t total_of(const HistogramData& data) {
  uint64_t total = 0;
  for (const uint64_t count : data.counts) total += count;
  return total;
}

uint64_t in_flight(const Plan& plan) { return uint64_t{plan.flows} * (plan.burst + 1); }

// Due within so many ns, of evenly spaced ones give or take one for each flow.
double due_within(const Plan& plan, uint64_t ns) {
  return static_cast<double>(plan.rate) * static_cast<double>(ns) / 1e9;
}

class EveryOpenLoop : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const std::string reason = refusal_of(GetParam().plan.engine); !reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_P(EveryOpenLoop, KeepsItsRateOrSaysHowFarItIsBehind) {
  const Plan& plan = GetParam().plan;
  const size_t before = open_descriptors();
  Result result;
  uint64_t started = 0;
  uint64_t running = 0;
  {
    Observed server(server_half(plan));
    Observed client(client_half(plan, server->port()));
    ASSERT_TRUE(client.await_ready()) << client->result().fault.message;
    ASSERT_TRUE(server.await_ready()) << server->result().fault.message;
    server->go();
    client->open_window();
    started = now_ns();
    client->go();
    ASSERT_TRUE(client.await_snapshot([&](const Snapshot& snapshot) {
      running = snapshot.window_ns;
      return snapshot.totals.transactions > 0;
    }));
    ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions >= 200; }));
    client->close_window();
    client->stop();
    ASSERT_TRUE(client.await_ended());
    server->stop();
    ASSERT_TRUE(server.await_ended());
    result = client->result();
  }
  const uint64_t passed = now_ns() - started;
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(result.fault) << result.fault.message;
  ASSERT_TRUE(result.backlog);
  ASSERT_TRUE(result.latencies);
  const HistogramData& latency = result.latencies->latency;
  EXPECT_EQ(total_of(latency), result.window.transactions);
  EXPECT_LE(latency.max, passed);
  if (plan.loop == LoopKind::crr) {
    EXPECT_LE(result.latencies->connect->sum + result.latencies->request->sum, latency.sum);
  }
  if (plan.spacing == Spacing::poisson) return;
  const auto known = static_cast<double>(result.window.transactions + *result.backlog);
  EXPECT_LE(known, due_within(plan, result.window_ns) + plan.flows);
  if (plan.workers() > 1) return;  // one may have begun long after another
  // Whatever was due has been answered, or is under way, or is behind.
  EXPECT_GE(known + static_cast<double>(in_flight(plan) + plan.flows), due_within(plan, result.window_ns - running));
}

INSTANTIATE_TEST_SUITE_P(Loopback, EveryOpenLoop, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

class EveryEngineAndTest : public testing::TestWithParam<std::tuple<Engine, LoopKind>> {
 protected:
  void SetUp() override {
    if (const std::string reason = refusal_of(std::get<0>(GetParam())); !reason.empty()) GTEST_SKIP() << reason;
  }
};

// The server's workers answer only once they are told to go.
TEST_P(EveryEngineAndTest, CountsWhatWaitedForAStuckServer) {
  const auto [engine, loop] = GetParam();
  const Plan plan = paced(loop, engine, 2, 2'000, Spacing::constant);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  client->open_window();
  client->go();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.window_ns >= 400'000'000; }));
  EXPECT_EQ(client->snapshot({}).totals.transactions, 0u);
  server->go();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions >= 400; }));
  client->close_window();
  client->stop();
  ASSERT_TRUE(client.await_ended());
  const Result result = client->result();
  ASSERT_TRUE(result.latencies);
  const HistogramData& latency = result.latencies->latency;
  // All that were due while it was stuck, but for the last 50 ms; a closed loop would have two of them.
  uint64_t slow = 0;
  for (size_t i = HistogramLayout::index_of(50'000'000); i < latency.counts.size(); i++) slow += latency.counts[i];
  EXPECT_GE(slow, 100u);
}

TEST_P(EveryEngineAndTest, CountsWhatItNeverSent) {
  const auto [engine, loop] = GetParam();
  const Plan plan = paced(loop, engine, 2, 2'000, Spacing::constant);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  client->open_window();
  client->go();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.window_ns >= 400'000'000; }));
  client->close_window();
  client->stop();
  ASSERT_TRUE(client.await_ended());
  const Result result = client->result();
  EXPECT_EQ(result.window.transactions, 0u);
  ASSERT_TRUE(result.backlog);
  EXPECT_GE(*result.backlog, 100u);
  EXPECT_LE(static_cast<double>(*result.backlog), due_within(plan, result.window_ns));
}

TEST_P(EveryEngineAndTest, StopsWhileItWaits) {
  const auto [engine, loop] = GetParam();
  // One a minute for each flow: the first comes long after the patience of this test, but for one in 2^63.
  const Plan plan = paced(loop, engine, 63, 1, Spacing::constant);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  server->go();
  client->go();
  client->open_window();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.window_ns >= 20'000'000; }));
  client->stop();
  EXPECT_TRUE(client.await_ended());
  EXPECT_FALSE(client->result().fault);
}

INSTANTIATE_TEST_SUITE_P(Loopback, EveryEngineAndTest,
                         testing::Combine(testing::ValuesIn(kEngines), testing::Values(LoopKind::rr, LoopKind::crr)),
                         [](const auto& instance) {
                           const bool rr = std::get<1>(instance.param) == LoopKind::rr;
                           return name_of(std::get<0>(instance.param)) + (rr ? "_rr" : "_crr");
                         });

}  // namespace

}  // namespace cnb::test
