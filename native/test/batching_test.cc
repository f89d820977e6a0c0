// Fewer and larger calls where they were asked for, as the kernel at the other end sees them.

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "session_pair.h"

namespace cnb::test {

namespace {

tcp_info info_of(const Fd& fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  checked(getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "getsockopt");
  return info;
}

// MSG_WAITALL is not enough: the kernel cuts it short when work for the thread is pending.
bool read_all(const Fd& fd, size_t bytes) {
  std::string buffer(bytes, '\0');
  while (bytes > 0) {
    const ssize_t n = recv(fd.get(), buffer.data(), bytes, 0);
    if (n <= 0) return false;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

class Coalescing : public EveryEngine {};

INSTANTIATE_TEST_SUITE_P(Batching, Coalescing, testing::ValuesIn(kEngines),
                         [](const auto& instance) { return name_of(instance.param); });

// Without Nagle's algorithm each send of a few bytes is a segment of its own.
TEST_P(Coalescing, SendsABurstInOneSegment) {
  constexpr uint32_t kBurst = 7;
  constexpr size_t kSize = 10;
  const std::string answers((kBurst + 1) * kSize, 'x');
  for (const bool coalesce : {false, true}) {
    const Fd listener = listen_on(Address::parse("127.0.0.1", 0), {}, {});
    Plan plan = plan_for(LoopKind::rr, GetParam(), 1);
    plan.burst = kBurst;
    plan.coalesce = coalesce;
    plan.request = plan.response = kSize;
    Observed client(client_half(plan, Address::local_of(listener.get()).port()));
    const Fd peer(checked(accept(listener.get(), nullptr, nullptr), "accept"));
    constexpr size_t kPreamble = 20;
    ASSERT_TRUE(read_all(peer, kPreamble));
    ASSERT_TRUE(client.await_ready());
    client->open_window();
    ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.tcp; }, {.tcp = true}));
    const uint32_t before = info_of(peer).tcpi_data_segs_in;
    client->go();
    constexpr int kRounds = 3;
    for (int round = 0; round < kRounds; round++) {
      if (round > 0) ASSERT_EQ(send(peer.get(), answers.data(), answers.size(), 0), std::ssize(answers));
      ASSERT_TRUE(read_all(peer, answers.size()));
    }
    const uint32_t segments = info_of(peer).tcpi_data_segs_in - before;
    client->close_window();
    client->stop();
    ASSERT_TRUE(client.await_ended());
    // A busy host acknowledges late, and TCP sends its last segment once more to find out.
    const uint32_t sends = kRounds * (coalesce ? 1 : kBurst + 1);
    EXPECT_GE(segments, sends);
    EXPECT_LE(segments, sends + client->result().tcp.value().info.retransmits);
  }
}

TEST_P(Coalescing, CountsWhatItSendsWhateverTheSizes) {
  for (const auto& [burst, request, response] : {std::tuple{0u, 1u, 1u}, {15u, 1u, 300u}, {9u, 5'000u, 700u}}) {
    Plan plan = plan_for(LoopKind::rr, GetParam(), 2);
    plan.burst = burst;
    plan.coalesce = true;
    plan.request = request;
    plan.response = response;
    Observed server(server_half(plan));
    Observed client(client_half(plan, server->port()));
    ASSERT_TRUE(start(server, client));
    ASSERT_TRUE(client.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.transactions > 100; }));
    client->close_window();
    client->stop();
    ASSERT_TRUE(client.await_ended());
    const Result result = client->result();
    EXPECT_FALSE(result.fault);
    EXPECT_EQ(result.total.bytes_received, result.total.transactions * response);
  }
}

// A receive that has taken a part waits for as much again (tcp_data_ready in net/ipv4/tcp_input.c): hence more than
// one.
TEST(Batching, AReceiverIsWokenForAsMuchAsItAskedFor) {
  constexpr size_t kPiece = 1024;
  constexpr size_t kWhole = 64 * kPiece;
  Plan plan = server_half(plan_for(LoopKind::send, Engine::block, 1));
  plan.recv_size = kWhole;
  plan.rx_lowat = kWhole;
  // Receives are counted for foreign peers.
  plan.foreign = true;
  Observed receiver(plan);
  Fd sender = tcp_socket(AF_INET, false);
  set_int(sender.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  const Address to = Address::parse("127.0.0.1", receiver->port());
  ASSERT_EQ(connect(sender.get(), to.raw(), to.size()), 0);
  ASSERT_TRUE(receiver.await_ready());
  receiver->open_window();
  receiver->go();
  const std::string piece(kPiece, 'x');
  for (size_t sent = 0; sent < 3 * kWhole; sent += kPiece) {
    ASSERT_EQ(send(sender.get(), piece.data(), piece.size(), 0), static_cast<ssize_t>(kPiece));
    // Until the receiver's kernel has it: pieces that came together would prove nothing.
    for (int unacknowledged = 1; unacknowledged > 0;) ioctl(sender.get(), SIOCOUTQ, &unacknowledged);
  }
  ASSERT_TRUE(receiver.await_snapshot([](const Snapshot& snapshot) { return snapshot.totals.bytes_received > 0; }));
  receiver->close_window();
  receiver->stop();
  ASSERT_TRUE(receiver.await_ended());
  const Totals window = receiver->result().window;
  EXPECT_EQ(window.bytes_received, window.transactions * kWhole);
}

// What the receiver whose listener has this port is woken for, of the one flow that it has accepted.
int mark_at(uint16_t port) {
  for (int fd = 0; fd < 1024; fd++) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (Address::local_of(fd).port() == port) return get_int(fd, SOL_SOCKET, SO_RCVLOWAT, "SO_RCVLOWAT");
  }
  return -1;
}

class LowWaterMark : public EveryEngine {};

INSTANTIATE_TEST_SUITE_P(Batching, LowWaterMark, testing::Values(Engine::block, Engine::epoll, Engine::uring),
                         [](const auto& instance) { return name_of(instance.param); });

TEST_P(LowWaterMark, RisesWithTheRate) {
  Plan plan = plan_for(LoopKind::send, GetParam(), 1);
  plan.rx_lowat = kAutomatic;
  Observed receiver(server_half(plan));
  const uint16_t port = receiver->port();
  Observed sender(client_half(plan, port));
  ASSERT_TRUE(receiver.await_ready() && sender.await_ready());
  EXPECT_EQ(mark_at(port), 1);
  receiver->go();
  sender->go();
  EXPECT_TRUE(receiver.await_snapshot([&](const Snapshot&) { return mark_at(port) > 1; }));
  EXPECT_LE(static_cast<size_t>(mark_at(port)), plan.recv_size / 2);
  sender->stop();
  EXPECT_TRUE(sender.await_ended());
  receiver->stop();
  EXPECT_TRUE(receiver.await_ended());
}

TEST(Batching, TheLowWaterMarkFallsWithTheRate) {
  Plan plan = server_half(plan_for(LoopKind::send, Engine::block, 1));
  plan.rx_lowat = kAutomatic;
  plan.foreign = true;
  Observed receiver(plan);
  const uint16_t port = receiver->port();
  Fd sender = tcp_socket(AF_INET, false);
  const Address to = Address::parse("127.0.0.1", port);
  ASSERT_EQ(connect(sender.get(), to.raw(), to.size()), 0);
  ASSERT_TRUE(receiver.await_ready());
  receiver->go();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const auto send_until = [&](const std::string& piece, std::chrono::microseconds gap, auto condition) {
    while (!condition() && std::chrono::steady_clock::now() < until) {
      if (send(sender.get(), piece.data(), piece.size(), 0) != std::ssize(piece)) return false;
      std::this_thread::sleep_for(gap);
    }
    return condition();
  };
  ASSERT_TRUE(send_until(std::string(size_t{256} * 1024, 'x'), {}, [&] { return mark_at(port) > 1; }));
  EXPECT_TRUE(send_until(std::string(1024, 'x'), std::chrono::milliseconds(1), [&] { return mark_at(port) == 1; }));
  receiver->stop();
  EXPECT_TRUE(receiver.await_ended());
}

}  // namespace

}  // namespace cnb::test
