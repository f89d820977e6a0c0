// Whole sessions over loopback: every loop on every engine, and the bookkeeping that has to add up.

#include "session_pair.h"

namespace cnb::test {

namespace {

struct Case {
  std::string name;
  Plan plan;
};

Case make(const std::string& name, LoopKind loop, Engine engine, uint32_t flows, void (*change)(Plan&) = nullptr) {
  Case result{name, plan_for(loop, engine, flows)};
  if (change) change(result.plan);
  return result;
}

std::vector<Case> cases() {
  const auto large = [](Plan& plan) {
    plan.request = 70'000;
    plan.response = 300'000;
  };
  const auto burst = [](Plan& plan) {
    plan.burst = 16;
    plan.request = 100;
    plan.response = 3;
  };
  // Neither side's socket holds what the other one owes.
  const auto cramped = [](Plan& plan) {
    plan.burst = 2;
    plan.request = 70'000;
    plan.response = 300'000;
    plan.sndbuf = 5'000;
    plan.rcvbuf = 5'000;
  };
  // More than the receive buffer takes at once.
  const auto empty = [](Plan& plan) { plan.request = plan.response = 0; };
  const auto huge = [](Plan& plan) {
    plan.request = 1'200'000;
    plan.response = 2'100'000;
  };
  const auto walks_ports = [](Plan& plan) { plan.local_ports = {21'000, 21'999}; };
  const auto client_closes = [](Plan& plan) { plan.close = CloseMode::client; };
  const auto resets = [](Plan& plan) { plan.close = CloseMode::reset; };
  const auto zerocopy = [](Plan& plan) { plan.zerocopy = Zerocopy::msg; };
  const auto sendfile = [](Plan& plan) { plan.zerocopy = Zerocopy::sendfile; };
  const auto trunc = [](Plan& plan) { plan.rx = Rx::trunc; };
  const auto ipv6 = [](Plan& plan) { plan.address = "::1"; };
  const auto paced = [](Plan& plan) {
    plan.bandwidth = 300'000'000;
    plan.send_size = 20'000;
  };
  const auto unpinned = [](Plan& plan) { plan.cpus.assign(plan.cpus.size(), -1); };
  std::vector<Case> all;
  for (const Engine engine : kEngines) {
    const std::string prefix = name_of(engine) + "_";
    all.push_back(make(prefix + "send", LoopKind::send, engine, 1));
    all.push_back(make(prefix + "send_5_flows", LoopKind::send, engine, 5));
    all.push_back(make(prefix + "send_trunc", LoopKind::send, engine, 2, trunc));
    all.push_back(make(prefix + "send_zerocopy", LoopKind::send, engine, 3, zerocopy));
    all.push_back(make(prefix + "send_zerocopy_small", LoopKind::send, engine, 3, [](Plan& plan) {
      plan.zerocopy = Zerocopy::msg;
      plan.send_size = 1'000;
    }));
    if (engine != Engine::uring) {
      all.push_back(make(prefix + "send_sendfile", LoopKind::send, engine, 3, sendfile));
    }
    all.push_back(make(prefix + "send_paced", LoopKind::send, engine, 3, paced));
    all.push_back(make(prefix + "receive", LoopKind::receive, engine, 2));
    all.push_back(make(prefix + "receive_paced", LoopKind::receive, engine, 2, paced));
    all.push_back(make(prefix + "rr", LoopKind::rr, engine, 1));
    all.push_back(make(prefix + "rr_5_flows", LoopKind::rr, engine, 5));
    all.push_back(make(prefix + "rr_ipv6_unpinned", LoopKind::rr, engine, 3, [](Plan& plan) {
      plan.address = "::1";
      plan.cpus.assign(plan.cpus.size(), -1);
    }));
    all.push_back(make(prefix + "rr_large", LoopKind::rr, engine, 2, large));
    all.push_back(make(prefix + "rr_burst", LoopKind::rr, engine, 3, burst));
    // With blocking calls, both sides would wait in send for the other to receive.
    if (engine != Engine::block) all.push_back(make(prefix + "rr_cramped", LoopKind::rr, engine, 2, cramped));
    all.push_back(make(prefix + "rr_huge", LoopKind::rr, engine, 1, huge));
    all.push_back(make(prefix + "crr", LoopKind::crr, engine, 1));
    all.push_back(make(prefix + "crr_5_flows", LoopKind::crr, engine, 5));
    all.push_back(make(prefix + "crr_client_closes", LoopKind::crr, engine, 2, client_closes));
    all.push_back(make(prefix + "crr_reset", LoopKind::crr, engine, 2, resets));
    all.push_back(make(prefix + "crr_large", LoopKind::crr, engine, 2, large));
    all.push_back(make(prefix + "crr_huge", LoopKind::crr, engine, 2, huge));
    all.push_back(make(prefix + "crr_huge_reset", LoopKind::crr, engine, 2, [](Plan& plan) {
      plan.response = 2'100'000;
      plan.close = CloseMode::reset;
    }));
    all.push_back(make(prefix + "crr_ports", LoopKind::crr, engine, 2, walks_ports));
    all.push_back(make(prefix + "crr_ipv6", LoopKind::crr, engine, 2, ipv6));
    all.push_back(make(prefix + "cc", LoopKind::crr, engine, 1, empty));
    all.push_back(make(prefix + "cc_5_flows", LoopKind::crr, engine, 5, empty));
    all.push_back(make(prefix + "cc_client_closes", LoopKind::crr, engine, 2, [](Plan& plan) {
      plan.request = plan.response = 0;
      plan.close = CloseMode::client;
    }));
    all.push_back(make(prefix + "cc_reset", LoopKind::crr, engine, 2, [](Plan& plan) {
      plan.request = plan.response = 0;
      plan.close = CloseMode::reset;
    }));
    all.push_back(make(prefix + "send_unpinned", LoopKind::send, engine, 2, unpinned));
  }
  return all;
}

bool has_moved(const Plan& plan, const Snapshot& snapshot) {
  return plan.loop == LoopKind::send || plan.loop == LoopKind::receive
             ? snapshot.totals.bytes_sent + snapshot.totals.bytes_received > 10 * plan.send_size
             : snapshot.totals.transactions >= 20;
}

uint64_t total_of(const HistogramData& data) {
  uint64_t total = 0;
  for (const uint64_t count : data.counts) total += count;
  return total;
}

void check_adds_up(const Plan& plan, const Result& result) {
  Totals sum;
  for (const FlowResult& flow : result.flows) {
    sum.bytes_sent += flow.totals.bytes_sent;
    sum.bytes_received += flow.totals.bytes_received;
    sum.transactions += flow.totals.transactions;
  }
  EXPECT_EQ(result.flows.size(), plan.flows);
  EXPECT_EQ(sum.bytes_sent, result.window.bytes_sent);
  EXPECT_EQ(sum.bytes_received, result.window.bytes_received);
  EXPECT_EQ(sum.transactions, result.window.transactions);
  EXPECT_GE(result.total.bytes_sent, result.window.bytes_sent);
  EXPECT_GE(result.total.transactions, result.window.transactions);
  EXPECT_GT(result.window_ns, 0u);
  EXPECT_FALSE(result.fault) << result.fault.message;
}

void check_latency(const Result& result, const Plan& plan) {
  const bool crr = plan.loop == LoopKind::crr;
  ASSERT_TRUE(result.latencies);
  const HistogramData& latency = result.latencies->latency;
  EXPECT_EQ(total_of(latency), result.window.transactions);
  EXPECT_LE(latency.min, latency.max);
  EXPECT_LE(latency.max * result.window.transactions, UINT64_MAX);
  ASSERT_EQ(result.latencies->connect.has_value(), crr);
  if (!crr) return;
  EXPECT_EQ(total_of(*result.latencies->connect), result.window.transactions);
  EXPECT_LE(result.latencies->connect->sum, latency.sum);
  ASSERT_EQ(result.latencies->request.has_value(), plan.exchanges());
  if (!plan.exchanges()) return;
  EXPECT_EQ(total_of(*result.latencies->request), result.window.transactions);
  // Connecting and asking are parts of the whole transaction.
  EXPECT_LE(result.latencies->connect->sum + result.latencies->request->sum, latency.sum);
}

class EveryLoop : public testing::TestWithParam<Case> {};

TEST_P(EveryLoop, MeasuresAndAddsUp) {
  const Plan& plan = GetParam().plan;
  if (const std::string reason = refusal_of(plan); !reason.empty()) GTEST_SKIP() << reason;
  const size_t before = open_descriptors();
  Result client_result, server_result;
  {
    Observed server(server_half(plan));
    Observed client(client_half(plan, server->port()));
    ASSERT_TRUE(client.await_ready()) << client->result().fault.message;
    ASSERT_TRUE(server.await_ready()) << server->result().fault.message;
    server->go();
    client->go();
    server->open_window();
    client->open_window();
    ASSERT_TRUE(client.await_snapshot([&](const Snapshot& snapshot) { return has_moved(plan, snapshot); }));
    client->close_window();
    server->close_window();
    // The sender of a bulk test, else the client.
    Observed& first = plan.loop == LoopKind::receive ? server : client;
    Observed& second = plan.loop == LoopKind::receive ? client : server;
    first->stop();
    ASSERT_TRUE(first.await_ended());
    second->stop();
    ASSERT_TRUE(second.await_ended());
    client_result = client->result();
    server_result = server->result();
  }
  EXPECT_EQ(open_descriptors(), before);
  check_adds_up(plan, client_result);
  EXPECT_FALSE(server_result.fault) << server_result.fault.message;
  if (plan.loop == LoopKind::rr || plan.loop == LoopKind::crr) {
    check_latency(client_result, plan);
    EXPECT_EQ(client_result.window.bytes_sent, client_result.window.transactions * plan.request);
    // Each end counts to the end of its own session; what is in flight at the end may differ by what a flow holds.
    // Where nothing of a transaction waits for the server's program, that is the whole of its accept queue.
    if (plan.exchanges() || plan.close == CloseMode::server) {
      EXPECT_LE(client_result.total.transactions, server_result.total.transactions + plan.flows * (plan.burst + 1));
    }
  } else {
    const Result& sender = plan.loop == LoopKind::send ? client_result : server_result;
    const Result& receiver = plan.loop == LoopKind::send ? server_result : client_result;
    // Whatever was in socket buffers at the end is read, too.
    EXPECT_EQ(sender.total.bytes_sent, receiver.total.bytes_received);
    EXPECT_GT(receiver.total.bytes_received, 0u);
  }
  if (plan.zerocopy == Zerocopy::msg) {
    ASSERT_TRUE(client_result.zerocopy);
    EXPECT_EQ(client_result.zerocopy->requested, client_result.window.bytes_sent);
    EXPECT_EQ(client_result.zerocopy->requested, client_result.zerocopy->zero_copied + client_result.zerocopy->copied);
  }
}

INSTANTIATE_TEST_SUITE_P(Loopback, EveryLoop, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Session, NothingCountsOutsideTheWindow) {
  const Plan plan = plan_for(LoopKind::rr, Engine::block, 1);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  server->go();
  client->go();
  // No window yet: the server's loop has answered (it closes its accept queue only after admitting), the client has
  // counted nothing.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(client->snapshot({}).totals.transactions, 0u);
  EXPECT_EQ(client->snapshot({}).window_ns, 0u);
  client->stop();
  ASSERT_TRUE(client.await_ended());
  EXPECT_EQ(client->result().window.transactions, 0u);
  EXPECT_EQ(client->result().window_ns, 0u);
  EXPECT_GT(client->result().total.transactions, 0u);
}

// On loopback the CPU that sends a packet receives it as well. Those of the handshake and the end come in where the
// sessions' own threads are: only flows that had a transaction count, and the end that stops first.
TEST(Session, PacketsOfFlowsComeInWhereThePeersRun) {
  for (const bool of_server : {false, true}) {
    Plan plan = plan_for(LoopKind::rr, Engine::epoll, 3);
    plan.cpus = {workers(1)[0]};
    Observed server(server_half(plan));
    Observed client(client_half(plan, server->port()));
    ASSERT_TRUE(client.await_ready() && server.await_ready());
    for (Observed* end : {&server, &client}) {
      (*end)->open_window();
      (*end)->go();
    }
    ASSERT_TRUE(client.await_snapshot([&](const Snapshot& snapshot) { return has_moved(plan, snapshot); }));
    Observed& end = of_server ? server : client;
    end->close_window();
    end->stop();
    ASSERT_TRUE(end.await_ended());
    int checked = 0;
    for (const FlowResult& flow : end->result().flows) {
      if (flow.totals.transactions == 0) continue;
      checked++;
      EXPECT_EQ(flow.incoming_cpu, plan.cpus[0]);
    }
    EXPECT_GT(checked, 0);
  }
}

TEST(Session, ConnectionsThatComeAndGoTellOfNoIncomingCpu) {
  const Plan plan = plan_for(LoopKind::crr, Engine::block, 1);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(start(server, client));
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions > 0; }));
  client->close_window();
  client->stop();
  ASSERT_TRUE(client.await_ended());
  EXPECT_FALSE(client->result().flows[0].incoming_cpu);
}

TEST(Session, FlowsAreSplitWithoutRemainder) {
  Plan plan = plan_for(LoopKind::rr, Engine::epoll, 7);
  plan.cpus = workers(3);
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(start(server, client));
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions > 200; }));
  client->stop();
  ASSERT_TRUE(client.await_ended());
  const Result result = client->result();
  ASSERT_EQ(result.flows.size(), 7u);
  const std::vector<int> cpus = workers(3);
  const std::vector<int> expected{cpus[0], cpus[0], cpus[0], cpus[1], cpus[1], cpus[2], cpus[2]};
  for (size_t i = 0; i < expected.size(); i++) {
    EXPECT_EQ(result.flows[i].cpu, expected[i]) << "flow " << i;
    EXPECT_GT(result.flows[i].totals.transactions, 0u) << "flow " << i;
    ASSERT_TRUE(result.flows[i].tcp_info) << "flow " << i;
    EXPECT_GT(result.flows[i].tcp_info->mss_bytes, 0u) << "flow " << i;
  }
}

}  // namespace

}  // namespace cnb::test
