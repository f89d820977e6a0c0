// UDP_STREAM and UDP_RR over loopback: what is counted, what is lost, and who is let in.

#include <netinet/in.h>

#include <thread>

#include "core/clock.h"
#include "engine/udp_setup.h"
#include "loops/udp_rr.h"
#include "session_pair.h"

namespace cnb::test {

namespace {

constexpr Engine kUdpEngines[] = {Engine::block, Engine::epoll, Engine::spin};
// Far beyond what a busy machine holds an answer up for.
constexpr int kPatientMs = 20'000;

Plan udp_plan(LoopKind loop, Engine engine, uint32_t flows) {
  Plan plan = plan_for(loop, engine, flows);
  plan.udp.emplace();
  plan.udp->retry_ms = kPatientMs;
  plan.send_size = 1'000;
  return plan;
}

struct Case {
  std::string name;
  Plan plan;
};

Case make(const std::string& name, LoopKind loop, Engine engine, uint32_t flows, void (*change)(Plan&) = nullptr) {
  Case result{name, udp_plan(loop, engine, flows)};
  if (change) change(result.plan);
  return result;
}

SocketOptions no_options() {
  SocketOptions options;
  options.no_delay = false;
  return options;
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

// A server that is none of ours, on a thread of its own: answers but for every third request, until nothing comes.
class ForgetfulServer {
 public:
  ForgetfulServer() : fd_(receive_on(Address::parse("127.0.0.1", 0), no_options())) {
    set_nonblocking(fd_.get(), false);
    thread_ = std::thread([this] { serve(); });
  }
  ~ForgetfulServer() {
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return Address::local_of(fd_.get()).port(); }
  // Once its client has ended.
  uint64_t forgotten() {
    thread_.join();
    return forgotten_;
  }

 private:
  void serve() {
    uint8_t bytes[64];
    for (uint64_t i = 1;; i++) {
      Address peer;
      socklen_t size = Address::capacity();
      const ssize_t n = recvfrom(fd_.get(), bytes, sizeof bytes, 0, peer.raw(), &size);
      if (n <= 0) return;
      if (i % 3 == 0) {
        forgotten_++;
        continue;
      }
      sendto(fd_.get(), bytes, 1, 0, peer.raw(), peer.size());
    }
  }

  Fd fd_;
  uint64_t forgotten_ = 0;
  std::thread thread_;
};

TEST(UdpForeign, ClientGoesOnAfterLossesAndEndsByEmptyDatagrams) {
  ForgetfulServer server;
  Plan plan = udp_plan(LoopKind::rr, Engine::block, 1);
  plan.foreign = true;
  plan.udp->retry_ms = 20;
  Observed client(client_half(plan, server.port()));
  ASSERT_TRUE(client.await_ready());
  client->open_window();
  client->go();
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions >= 20; }));
  client->close_window();
  ASSERT_TRUE(client.await_ended());
  const uint64_t forgotten = server.forgotten();
  const Result result = client->result();
  EXPECT_FALSE(result.fault) << result.fault.message;
  EXPECT_GT(result.total.datagrams.lost, 0u);
  EXPECT_GE(result.total.datagrams.sent, result.total.transactions + result.total.datagrams.lost);
  // On a busy machine an answer may come late, too; then it stands for the next one.
  EXPECT_GE(result.total.datagrams.lost + 1, forgotten);
}

TEST(UdpForeign, ServerCountsItsClientAndNobodyElse) {
  Plan plan = server_half(udp_plan(LoopKind::send, Engine::block, 1));
  plan.foreign = true;
  plan.recv_size = 2'000;
  plan.addresses = {"127.0.0.1"};
  plan.address = "0.0.0.0";
  Observed server(plan);
  ASSERT_TRUE(server.await_ready());
  server->open_window();
  server->go();
  const Address to = Address::parse("127.0.0.1", server->port());
  const Fd mine = udp_socket(AF_INET, false);
  const Fd stranger = udp_socket(AF_INET, false);
  const Address elsewhere = Address::parse("127.0.0.9", 0);
  ASSERT_EQ(bind(stranger.get(), elsewhere.raw(), elsewhere.size()), 0);
  const std::string bytes(500, 'x');
  for (int i = 0; i < 10; i++) {
    ASSERT_EQ(sendto(stranger.get(), bytes.data(), bytes.size(), 0, to.raw(), to.size()), 500);
    ASSERT_EQ(sendto(mine.get(), bytes.data(), bytes.size(), 0, to.raw(), to.size()), 500);
  }
  ASSERT_EQ(sendto(stranger.get(), nullptr, 0, 0, to.raw(), to.size()), 0);
  ASSERT_TRUE(server.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions == 10; }));
  ASSERT_EQ(sendto(mine.get(), nullptr, 0, 0, to.raw(), to.size()), 0);
  ASSERT_TRUE(server.await_ended());
  const Result result = server->result();
  EXPECT_EQ(result.fault.reason, Fault::Reason::peer_closed);
  EXPECT_EQ(result.total.bytes_received, 5'000u);
  EXPECT_EQ(result.total.datagrams.received, 10u);
}

TEST(UdpFault, NobodyListening) {
  uint16_t port;
  {
    const Fd taken = receive_on(Address::parse("127.0.0.1", 0), no_options());
    port = Address::local_of(taken.get()).port();
  }
  for (const LoopKind loop : {LoopKind::send, LoopKind::rr}) {
    Observed client(client_half(udp_plan(loop, Engine::block, 2), port));
    ASSERT_TRUE(client.await_ended());
    EXPECT_EQ(client->result().fault.phase, "connect");
    EXPECT_EQ(client->result().fault.err, ECONNREFUSED);
  }
}

TEST(UdpFault, NobodyAnswers) {
  const Fd silent = receive_on(Address::parse("127.0.0.1", 0), no_options());
  Plan plan = udp_plan(LoopKind::rr, Engine::epoll, 2);
  plan.setup_timeout_ms = 300;
  Observed client(client_half(plan, Address::local_of(silent.get()).port()));
  ASSERT_TRUE(client.await_ended());
  EXPECT_EQ(client->result().fault.reason, Fault::Reason::timeout);
  Observed server(server_half(plan));
  ASSERT_TRUE(server.await_ended());
  EXPECT_EQ(server->result().fault.phase, "admit");
  EXPECT_EQ(server->result().fault.reason, Fault::Reason::timeout);
}

TEST(UdpFault, APortIsNotShared) {
  Observed first(server_half(udp_plan(LoopKind::rr, Engine::epoll, 1)));
  Plan second = server_half(udp_plan(LoopKind::rr, Engine::epoll, 1));
  second.port = first->port();
  EXPECT_THROW(Observed{second}, SystemError);
}

TEST(UdpFault, TheServerGoesAway) {
  for (const Engine engine : kUdpEngines) {
    for (const LoopKind loop : {LoopKind::send, LoopKind::rr}) {
      Plan plan = udp_plan(loop, engine, 2);
      plan.udp->retry_ms = 50;
      auto server = std::make_unique<Observed>(server_half(plan));
      Observed client(client_half(plan, (*server)->port()));
      ASSERT_TRUE(client.await_ready() && server->await_ready());
      (*server)->go();
      client->go();
      client->open_window();
      ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.datagrams.sent > 20; }));
      server.reset();
      ASSERT_TRUE(client.await_ended()) << name_of(engine);
      EXPECT_EQ(client->result().fault.err, ECONNREFUSED) << name_of(engine);
      EXPECT_EQ(client->result().fault.phase, "traffic");
    }
  }
}

// What a stranger sends to a session's port comes to nothing: not answered, not counted.
TEST(UdpFault, StrangersAreNeitherAnsweredNorCounted) {
  const Plan plan = udp_plan(LoopKind::rr, Engine::epoll, 1);
  Observed server(server_half(plan));
  const Address to = Address::parse("127.0.0.1", server->port());
  const Fd stranger = udp_socket(AF_INET, false);
  ASSERT_EQ(connect(stranger.get(), to.raw(), to.size()), 0);
  const auto say = [&](std::string bytes) {
    EXPECT_EQ(send(stranger.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  };
  const auto hears = [&] {
    char byte;
    return recv(stranger.get(), &byte, 1, MSG_DONTWAIT) >= 0;
  };
  const std::string cookie(plan.cookie.begin(), plan.cookie.end());
  const std::string flow(4, '\0');
  say("x");
  say(std::string(kHelloBytes, 'x'));
  say(cookie);
  // A flow that does not exist, and a proof that nobody was asked for.
  say(cookie + std::string("\0\0\0\7", 4) + std::string(9, '\0'));
  say(cookie + flow + std::string(8, 'x') + '\2');
  Observed client(client_half(plan, server->port()));
  ASSERT_TRUE(client.await_ready() && server.await_ready());
  EXPECT_FALSE(hears());
  server->open_window();
  client->open_window();
  server->go();
  client->go();
  // The flow is the client's now, and its socket hears nobody else: the kernel may say that nobody listens.
  for (int i = 0; i < 50; i++) send(stranger.get(), "x", 1, 0);
  ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions >= 200; }));
  for (int i = 0; i < 50; i++) send(stranger.get(), "x", 1, 0);
  client->close_window();
  server->close_window();
  client->stop();
  ASSERT_TRUE(client.await_ended());
  server->stop();
  ASSERT_TRUE(server.await_ended());
  EXPECT_FALSE(hears());
  EXPECT_LE(server->result().total.datagrams.received, client->result().total.datagrams.sent);
}

// One who knows the cookie but does not receive where it claims to be gets an answer no longer than what it sent, and
// nothing after that.
TEST(UdpFault, ACookieAloneAdmitsNobody) {
  const Plan plan = udp_plan(LoopKind::rr, Engine::epoll, 1);
  Observed server(server_half(plan));
  const Address to = Address::parse("127.0.0.1", server->port());
  const Fd liar = udp_socket(AF_INET, false);
  ASSERT_EQ(connect(liar.get(), to.raw(), to.size()), 0);
  const std::string start = std::string(plan.cookie.begin(), plan.cookie.end()) + std::string(4, '\0');
  const std::string hello = start + std::string(9, '\0');
  ASSERT_EQ(send(liar.get(), hello.data(), hello.size(), 0), static_cast<ssize_t>(kHelloBytes));
  uint8_t challenge[100];
  ASSERT_EQ(recv(liar.get(), challenge, sizeof challenge, 0), static_cast<ssize_t>(kHelloBytes));
  const std::string guess = start + std::string(8, 'g') + '\2';
  ASSERT_EQ(send(liar.get(), guess.data(), guess.size(), 0), static_cast<ssize_t>(kHelloBytes));
  // Served after that, and in its place.
  Observed client(client_half(plan, server->port()));
  EXPECT_TRUE(client.await_ready());
  EXPECT_LT(recv(liar.get(), challenge, sizeof challenge, MSG_DONTWAIT), 0);
}

}  // namespace

}  // namespace cnb::test
