// UDP_STREAM and UDP_RR over loopback: what is counted, and what is lost.

#include "engine/udp_setup.h"
#include "loops/udp_rr.h"
#include "udp_plans.h"

namespace cnb::test {

namespace {

struct Case {
  std::string name;
  Plan plan;
};

Case make(const std::string& name, LoopKind loop, Engine engine, uint32_t flows, void (*change)(Plan&) = nullptr) {
  Case result{name, udp_plan(loop, engine, flows)};
  if (change) change(result.plan);
  return result;
}

void ipv6(Plan& plan) { plan.address = "::1"; }

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Engine engine : kUdpEngines) {
    const std::string prefix = name_of(engine) + "_";
    const auto add = [&](const char* name, LoopKind loop, uint32_t flows, void (*change)(Plan&) = nullptr) {
      all.push_back(make(prefix + name, loop, engine, flows, change));
    };
    add("send", LoopKind::send, 1);
    add("send_5_flows", LoopKind::send, 5, ipv6);
    add("send_one_byte", LoopKind::send, 2, [](Plan& plan) { plan.send_size = 1; });
    add("send_largest", LoopKind::send, 1, [](Plan& plan) { plan.send_size = kMaxDatagram; });
    add("send_what_fits", LoopKind::send, 1, [](Plan& plan) { plan.send_size = 0; });
    add("send_batches", LoopKind::send, 3, [](Plan& plan) { plan.udp->batch = 16; });
    add("send_gso_gro", LoopKind::send, 2, [](Plan& plan) { plan.udp->gso = plan.udp->gro = true; });
    add("send_gso_alone", LoopKind::send, 2, [](Plan& plan) { plan.udp->gso = true; });
    add("send_trains_in_batches", LoopKind::send, 1, [](Plan& plan) {
      plan.udp->gso = plan.udp->gro = true;
      plan.udp->batch = 3;
    });
    add("send_paced", LoopKind::send, 3, [](Plan& plan) { plan.bandwidth = 80'000'000; });
    add("rr", LoopKind::rr, 1);
    add("rr_5_flows", LoopKind::rr, 5, ipv6);
    add("rr_burst", LoopKind::rr, 2, [](Plan& plan) { plan.burst = 20; });
    add("rr_large", LoopKind::rr, 2, [](Plan& plan) {
      plan.request = kHelloBytes;
      plan.response = 40'000;
    });
    add("rr_at_a_rate", LoopKind::rr, 3, [](Plan& plan) { plan.rate = 3'000; });
  }
  return all;
}

struct Ends {
  Result client;
  Result server;
};

// Traffic before, in and after the window, until the client has done some work in it.
Ends measure(const Plan& plan, const std::function<bool(const Snapshot&)>& enough) {
  Observed server(server_half(plan));
  Observed client(client_half(plan, server->port()));
  EXPECT_TRUE(client.await_ready()) << client->result().fault.message;
  EXPECT_TRUE(server.await_ready()) << server->result().fault.message;
  server->go();
  client->go();
  server->open_window();
  client->open_window();
  EXPECT_TRUE(client.await_snapshot(enough));
  client->close_window();
  server->close_window();
  client->stop();
  EXPECT_TRUE(client.await_ended());
  server->stop();
  EXPECT_TRUE(server.await_ended());
  EXPECT_FALSE(client->result().fault) << client->result().fault.message;
  EXPECT_FALSE(server->result().fault) << server->result().fault.message;
  return {client->result(), server->result()};
}

class Udp : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Loopback, Udp, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

void check_stream(const Plan& plan, const Ends& ends) {
  const size_t size = plan.send_size == 0 ? 8'972 : plan.send_size;
  const Totals& sent = ends.client.total;
  const Totals& received = ends.server.total;
  EXPECT_EQ(sent.bytes_sent, sent.datagrams.sent * size);
  EXPECT_EQ(received.bytes_received, received.datagrams.received * size);
  EXPECT_GT(received.datagrams.received, 0u);
  // Loopback loses nothing but at the receivers' sockets, whose kernel counts that: packets, each of which is a train
  // where trains are handed on as they are.
  const uint64_t lost = sent.datagrams.sent - received.datagrams.received;
  if (plan.udp->gro) {
    EXPECT_GE(lost, ends.server.total_drops);
    EXPECT_LE(lost, ends.server.total_drops * plan.train());
  } else {
    EXPECT_EQ(lost, ends.server.total_drops);
  }
  // What was lost of the window's is some of that, and never more than was sent.
  EXPECT_LE(received.datagrams.marked, ends.client.window.datagrams.sent);
  EXPECT_LE(ends.client.window.datagrams.sent - received.datagrams.marked, lost);
  uint64_t marked = 0;
  for (const FlowResult& flow : ends.server.flows) marked += flow.totals.datagrams.marked;
  EXPECT_EQ(marked, received.datagrams.marked);
}

void check_requests(const Plan& plan, const Ends& ends) {
  const DatagramTotals& total = ends.client.total.datagrams;
  ASSERT_TRUE(ends.client.latencies);
  uint64_t recorded = 0;
  for (const uint64_t count : ends.client.latencies->latency.counts) recorded += count;
  EXPECT_EQ(recorded, ends.client.window.transactions);
  EXPECT_EQ(ends.client.window.bytes_sent, ends.client.window.transactions * plan.request);
  EXPECT_EQ(total.lost, 0u);
  EXPECT_EQ(total.late, 0u);
  EXPECT_LE(total.sent - ends.client.total.transactions, plan.flows * (plan.burst + 1));
  EXPECT_GE(ends.server.total.transactions, ends.client.total.transactions);
  EXPECT_LE(ends.server.total.transactions, total.sent);
}

TEST_P(Udp, MeasuresAndAddsUp) {
  const Plan& plan = GetParam().plan;
  const size_t before = open_descriptors();
  {
    const Ends ends = measure(plan, [](const Snapshot& snapshot) {
      return snapshot.totals.transactions >= 100 || snapshot.totals.datagrams.sent >= 1'000;
    });
    for (const Result* end : {&ends.client, &ends.server}) {
      EXPECT_EQ(end->flows.size(), plan.flows);
      EXPECT_GT(end->socket.mss, 0);
      EXPECT_TRUE(end->socket.congestion.empty());
    }
    plan.loop == LoopKind::send ? check_stream(plan, ends) : check_requests(plan, ends);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(UdpStream, KeepsItsBandwidth) {
  for (const Engine engine : kUdpEngines) {
    Plan plan = udp_plan(LoopKind::send, engine, 2);
    plan.bandwidth = 16'000'000;
    const Ends ends = measure(plan, [](const Snapshot& snapshot) { return snapshot.window_ns > 300'000'000; });
    const double sent =
        static_cast<double>(ends.client.window.bytes_sent) * 8e9 / static_cast<double>(ends.client.window_ns);
    // Never more but for what a late worker makes up for.
    EXPECT_LT(sent, 16'000'000 * 1.3) << name_of(engine);
  }
}

TEST(UdpRequests, AreTakenByTheirTagInAnyOrder) {
  udp_rr::UnderWay under_way(5);
  for (const uint64_t tag : {7, 8, 9, 10, 11}) under_way.add({tag, tag * 10, tag * 10});
  EXPECT_EQ(under_way.take(9)->sent, 90u);
  EXPECT_FALSE(under_way.take(9));
  EXPECT_TRUE(under_way.has(8));
  EXPECT_EQ(under_way.take(7)->sent, 70u);
  under_way.add({12, 120, 120});
  under_way.add({13, 130, 130});
  EXPECT_EQ(under_way.take_oldest().tag, 8u);
  EXPECT_EQ(under_way.take(13)->sent, 130u);
  EXPECT_EQ(under_way.oldest().tag, 10u);
  EXPECT_EQ(under_way.take_oldest().tag, 10u);
  EXPECT_EQ(under_way.take_oldest().tag, 11u);
  EXPECT_EQ(under_way.take_oldest().tag, 12u);
  EXPECT_TRUE(under_way.empty());
}

}  // namespace

}  // namespace cnb::test
