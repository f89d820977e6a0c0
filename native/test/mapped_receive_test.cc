// Receives that have the kernel map its pages.

#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <stdexcept>

#include "session_pair.h"

namespace cnb::test {

namespace {

// Whether sockets can be mapped: kernels before 4.18, or without an MMU, have no such thing.
std::atomic<bool> mappable{true};

bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

}  // namespace

}  // namespace cnb::test

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" void* __real_mmap(void* at, size_t size, int access, int flags, int fd, off_t offset);
extern "C" void* __wrap_mmap(void* at, size_t size, int access, int flags, int fd, off_t offset) {
  if (!cnb::test::mappable && cnb::test::is_socket(fd)) {
    errno = ENODEV;
    return MAP_FAILED;
  }
  return __real_mmap(at, size, access, flags, fd, offset);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace cnb::test {

namespace {

constexpr Engine kMapping[] = {Engine::block, Engine::epoll, Engine::spin};

class MappedReceive : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Engines, MappedReceive, testing::ValuesIn(kMapping),
                         [](const auto& instance) { return name_of(instance.param); });

// Both ends' results of a bulk test that ended in order: the sender first.
std::pair<Result, Result> results_of(const Plan& plan) {
  Observed receiver(server_half(plan));
  Observed sender(client_half(plan, receiver->port()));
  EXPECT_TRUE(sender.await_ready() && receiver.await_ready());
  receiver->go();
  sender->go();
  receiver->open_window();
  sender->open_window();
  EXPECT_TRUE(receiver.await_snapshot([&](const Snapshot& snapshot) {
    return snapshot.totals.bytes_received > 50 * std::max(plan.send_size, plan.recv_size);
  }));
  sender->close_window();
  receiver->close_window();
  for (Observed* end : {&sender, &receiver}) {
    (*end)->stop();
    EXPECT_TRUE(end->await_ended());
  }
  return {sender->result(), receiver->result()};
}

void check_adds_up(const Result& sender, const Result& receiver) {
  EXPECT_FALSE(sender.fault) << sender.fault.message;
  EXPECT_FALSE(receiver.fault) << receiver.fault.message;
  EXPECT_FALSE(sender.rx_zerocopy);
  ASSERT_TRUE(receiver.rx_zerocopy);
  EXPECT_EQ(receiver.rx_zerocopy->mapped + receiver.rx_zerocopy->copied, receiver.window.bytes_received);
  EXPECT_EQ(sender.total.bytes_sent, receiver.total.bytes_received);
}

Plan mapping_plan(Engine engine, uint32_t flows) {
  Plan plan = plan_for(LoopKind::send, engine, flows);
  plan.rx = Rx::zerocopy;
  return plan;
}

// Loopback copies what was sent with MSG_ZEROCOPY, into pages of its own: those can be mapped.
TEST_P(MappedReceive, MapsWholePagesAndLosesNothing) {
  for (const uint32_t flows : {1u, 3u}) {
    for (const int lowat : {0, 100'000}) {
      const size_t before = open_descriptors();
      Plan plan = mapping_plan(GetParam(), flows);
      plan.zerocopy = Zerocopy::msg;
      plan.rx_lowat = lowat;
      const auto [sender, receiver] = results_of(plan);
      check_adds_up(sender, receiver);
      EXPECT_GT(receiver.rx_zerocopy->mapped, 0u);
      EXPECT_EQ(open_descriptors(), before);
    }
  }
}

// Segments and receives of odd sizes, in which pages begin anywhere.
TEST_P(MappedReceive, CopiesWhatFillsNoPages) {
  for (const auto& [send_size, recv_size, mss] :
       {std::tuple{777u, 999u, 0}, {100'000u, 5'000u, 1000}, {10'000u, 100'000u, 5'000}}) {
    Plan plan = mapping_plan(GetParam(), 2);
    plan.zerocopy = Zerocopy::msg;
    plan.send_size = send_size;
    plan.recv_size = recv_size;
    plan.mss = mss;
    const auto [sender, receiver] = results_of(plan);
    check_adds_up(sender, receiver);
    EXPECT_GT(receiver.rx_zerocopy->copied, 0u);
  }
}

TEST_P(MappedReceive, ReachesTheCallerWhenTheKernelHasNone) {
  mappable = false;
  Observed receiver(server_half(mapping_plan(GetParam(), 1)));
  Observed sender(client_half(mapping_plan(GetParam(), 1), receiver->port()));
  EXPECT_TRUE(sender.await_ready() && receiver.await_ready());
  receiver->go();
  EXPECT_TRUE(receiver.await_ended());
  mappable = true;
  const Result result = receiver->result();
  EXPECT_EQ(result.fault.syscall, "mmap");
  EXPECT_EQ(result.fault.err, ENODEV);
  EXPECT_NE(result.fault.message.find("--rx zerocopy"), std::string::npos) << result.fault.message;
}

// A peer that goes away within the window is told as such, whatever of its bytes had come by then.
TEST_P(MappedReceive, SeesThePeerGo) {
  for (const bool reset : {false, true}) {
    const Plan plan = server_half(mapping_plan(GetParam(), 1));
    Observed receiver(plan);
    Fd peer = tcp_socket(AF_INET, false);
    const Address to = Address::parse("127.0.0.1", receiver->port());
    ASSERT_EQ(connect(peer.get(), to.raw(), to.size()), 0);
    std::string bytes(plan.cookie.begin(), plan.cookie.end());
    bytes += std::string(4, '\0');
    ASSERT_EQ(send(peer.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ASSERT_TRUE(receiver.await_ready());
    receiver->open_window();
    receiver->go();
    const std::string payload(10'000, 'x');
    ASSERT_EQ(send(peer.get(), payload.data(), payload.size(), 0), static_cast<ssize_t>(payload.size()));
    ASSERT_TRUE(receiver.await_snapshot([&](const Snapshot& now) { return now.totals.bytes_received == 10'000; }));
    if (reset) reset_on_close(peer.get());
    peer.reset();
    ASSERT_TRUE(receiver.await_ended());
    const Result result = receiver->result();
    EXPECT_EQ(result.fault.reason == Fault::Reason::peer_closed, !reset);
    EXPECT_EQ(result.fault.err, reset ? ECONNRESET : 0);
    EXPECT_EQ(result.window.bytes_received, payload.size());
  }
}

TEST(MappedReceives, AreNotForIoUring) {
  const Plan plan = mapping_plan(Engine::uring, 1);
  EXPECT_THROW(validate(plan), std::invalid_argument);
}

}  // namespace

}  // namespace cnb::test
