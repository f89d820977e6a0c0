// UDP flows with peers that are not ours, that are strangers, or that go away.

#include <netinet/in.h>

#include <thread>

#include "engine/udp_setup.h"
#include "udp_plans.h"

namespace cnb::test {

namespace {

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
