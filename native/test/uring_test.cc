// What the loops rely on in a ring, and in the kernel behind it.

#include "io/uring.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "io/uring_requests.h"

namespace cnb::test {

namespace {

class RingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = uring_unavailable_reason(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

std::pair<Fd, Fd> socket_pair() {
  std::array<int, 2> fds{};
  checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  return {Fd(fds[0]), Fd(fds[1])};
}

std::pair<Fd, Fd> tcp_pair() {
  const Fd listener = listen_on(Address::parse("127.0.0.1", 0), {}, {});
  const Address at = Address::local_of(listener.get());
  Fd client = tcp_socket(AF_INET, false);
  checked(connect(client.get(), at.raw(), at.size()), "connect");
  return {Fd(checked(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")), std::move(client)};
}

// Waits for as many completions and returns them.
std::vector<Completion> take(Ring& ring, size_t count) {
  std::vector<Completion> all;
  while (all.size() < count) {
    ring.submit_and_wait();
    ring.reap([&](const Completion& done) {
      all.push_back(done);
      return true;
    });
  }
  return all;
}

TEST_F(RingTest, CarriesMoreRequestsThanItHasRoomFor) {
  Ring ring(4, 4);
  for (uint64_t i = 0; i < 100; i++) ring.next(i).opcode = IORING_OP_NOP;
  const std::vector<Completion> done = take(ring, 100);
  ASSERT_EQ(done.size(), 100u);
  for (uint64_t i = 0; i < 100; i++) EXPECT_EQ(done[i].tag, i);
}

TEST_F(RingTest, WaitsNoLongerThanItShould) {
  Ring ring(4, 4);
  const uint64_t before = now_ns();
  ring.submit_and_wait(1'000'000);
  EXPECT_GE(now_ns() - before, 1'000'000u);
  EXPECT_TRUE(ring.reap([](const Completion&) { return false; }));
}

TEST_F(RingTest, HandsOutTheSharedBufferAgainAndAgain) {
  auto [here, there] = socket_pair();
  const Buffer data(4096);
  Ring ring(4, 16);
  ring.provide_buffer(data, data.size(), 2);
  uring::receive_multishot(ring.next(7), {here.get(), false}, 0);
  for (int i = 0; i < 100; i++) {
    ASSERT_EQ(send(there.get(), "hello", 5, 0), 5);
    const Completion done = take(ring, 1)[0];
    EXPECT_EQ(done.tag, 7u);
    EXPECT_EQ(done.result, 5);
    EXPECT_TRUE(done.more());
    EXPECT_TRUE(done.took_buffer());
    ring.give_back_buffer();
  }
  there.reset();
  EXPECT_EQ(take(ring, 1)[0].result, 0);
}

TEST_F(RingTest, StarvesWithoutBuffersAndSaysSo) {
  auto [here, there] = socket_pair();
  const Buffer data(16);
  Ring ring(4, 16);
  ring.provide_buffer(data, data.size(), 1);
  uring::receive_multishot(ring.next(1), {here.get(), false}, 0);
  const std::string message(40, 'x');
  ASSERT_EQ(send(there.get(), message.data(), message.size(), 0), 40);
  const std::vector<Completion> done = take(ring, 2);
  EXPECT_EQ(done[0].result, 16);
  EXPECT_EQ(done[1].result, -ENOBUFS);
  EXPECT_FALSE(done[1].more());
}

// stream_uring.cc counts on this: a standing receive that discards takes no more than a buffer holds, and leaves it
// alone.
TEST_F(RingTest, DiscardsWhatAStandingReceiveTakes) {
  auto [here, there] = tcp_pair();
  const Buffer data(4096);
  const std::vector<uint8_t> before(data.data(), data.data() + data.size());
  Ring ring(4, 16);
  ring.provide_buffer(data, data.size(), 2);
  uring::receive_multishot(ring.next(7), {here.get(), false}, MSG_TRUNC);
  const std::vector<uint8_t> message(100'000);
  ASSERT_EQ(send(there.get(), message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
  there.reset();
  size_t received = 0;
  for (int32_t result = 1; result != 0;) {
    for (const Completion& done : take(ring, 1)) {
      result = done.result;
      if (result == -ENOBUFS) uring::receive_multishot(ring.next(7), {here.get(), false}, MSG_TRUNC);
      if (done.took_buffer()) ring.give_back_buffer();
      EXPECT_LE(result, static_cast<int32_t>(data.size()));
      received += static_cast<size_t>(std::max(result, 0));
    }
  }
  EXPECT_EQ(received, message.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end(), data.data()));
}

// stream_uring.cc counts on each of these.
TEST_F(RingTest, TellsWhenItHasLetGoOfWhatItSent) {
  if (const std::string reason = uring_zerocopy_unavailable_reason(); !reason.empty()) GTEST_SKIP() << reason;
  auto [here, there] = tcp_pair();
  const Buffer data(100'000);
  Ring ring(4, 16);
  ring.register_buffer(data);
  uring::send_zerocopy(ring.next(7), {here.get(), false}, data.data() + 1000, 5000);
  const std::vector<Completion> sent = take(ring, 2);
  for (const Completion& done : sent) EXPECT_EQ(done.tag, 7u);
  EXPECT_EQ(sent[0].result, 5000);
  EXPECT_TRUE(sent[0].more());
  EXPECT_FALSE(sent[0].notification());
  EXPECT_TRUE(sent[1].notification());
  EXPECT_FALSE(sent[1].more());
  EXPECT_TRUE(sent[1].copied());  // on loopback
  std::vector<uint8_t> received(5000);
  ASSERT_EQ(recv(there.get(), received.data(), received.size(), MSG_WAITALL), 5000);
  EXPECT_TRUE(std::equal(received.begin(), received.end(), data.data() + 1000));

  // A send that fails is over with the completion that does not say more, too.
  shutdown(here.get(), SHUT_WR);
  uring::send_zerocopy(ring.next(8), {here.get(), false}, data.data(), data.size());
  std::vector<Completion> failed = take(ring, 1);
  while (failed.back().more()) failed.push_back(take(ring, 1)[0]);
  EXPECT_EQ(failed[0].result, -EPIPE);
  EXPECT_EQ(failed.size(), failed[0].more() ? 2u : 1u);
  ring.unregister_buffer();
  ring.register_buffer(data);
}

// rr_uring.cc counts on each of these.
TEST_F(RingTest, TellsOfSendsThatDidNotFitAndOfNoOthers) {
  auto [here, there] = socket_pair();
  const std::vector<uint8_t> message(10'000'000);
  Ring ring(8, 16);
  ring.register_files(std::array{here.get()});
  const auto send_now = [&](uint64_t tag, size_t size) {
    io_uring_sqe& entry = ring.next(tag);
    uring::send(entry, {0, true}, message.data(), size, MSG_DONTWAIT | MSG_WAITALL);
    entry.flags |= uring::kSkipSuccess;
  };
  send_now(1, 100);
  send_now(2, message.size());
  send_now(3, 100);
  const std::vector<Completion> done = take(ring, 2);
  EXPECT_EQ(done[0].tag, 2u);
  EXPECT_GT(done[0].result, 0);
  EXPECT_LT(done[0].result, static_cast<int>(message.size()));
  EXPECT_EQ(done[1].tag, 3u);
  EXPECT_EQ(done[1].result, -EAGAIN);
  size_t received = 0;
  std::vector<uint8_t> sink(1 << 20);
  for (ssize_t n; (n = recv(there.get(), sink.data(), sink.size(), MSG_DONTWAIT)) > 0;)
    received += static_cast<size_t>(n);
  EXPECT_EQ(received, 100 + static_cast<size_t>(done[0].result));
}

// crr_client_uring.cc counts on this: whatever follows a socket that could not be made completes unseen.
TEST_F(RingTest, AChainWhoseSilentHeadFailsCompletesOnce) {
  Ring ring(8, 16);
  ring.register_slots(1);
  const Address peer = Address::parse("127.0.0.1", 9);
  io_uring_sqe& socket = ring.next(1);
  uring::make_socket(socket, AF_MAX, 0);
  socket.flags |= IOSQE_IO_LINK | uring::kSkipSuccess;
  io_uring_sqe& connecting = ring.next(2);
  uring::connect(connecting, {0, true}, peer);
  connecting.flags |= IOSQE_IO_LINK;
  uring::close_slot(ring.next(3), 0);
  ring.next(4).opcode = IORING_OP_NOP;
  const std::vector<Completion> done = take(ring, 2);
  EXPECT_EQ(done[0].tag, 1u);
  EXPECT_EQ(done[0].result, -EAFNOSUPPORT);
  EXPECT_EQ(done[1].tag, 4u);
}

TEST_F(RingTest, EndsWithRequestsUnderWayAndClosesItsSlots) {
  const Fd listener = listen_on(Address::parse("127.0.0.1", 0), {}, {});
  const Address at = Address::local_of(listener.get());
  const Fd client = tcp_socket(AF_INET, false);
  ASSERT_EQ(connect(client.get(), at.raw(), at.size()), 0);
  {
    Ring ring(8, 16);
    ring.register_slots(1);
    Address peer;
    socklen_t size = Address::capacity();
    uring::accept(ring.next(1), listener.get(), peer, size, 0);
    ASSERT_EQ(take(ring, 1)[0].result, 0);
    EXPECT_TRUE(peer.same_host(at));
    uint8_t byte;
    uring::receive(ring.next(2), {0, true}, &byte, 1, 0);
    ring.submit();
  }
  const timeval patience{5, 0};
  setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  uint8_t byte;
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), 0);
}

}  // namespace

}  // namespace cnb::test
