#include "core/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/fd_slot.h"
#include "core/own_descriptors.h"

namespace cnb {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1 || errno != EBADF; }

Fd open_null() { return Fd(checked(open("/dev/null", O_RDONLY | O_CLOEXEC), "open")); }

std::pair<Fd, Fd> socket_pair() {
  std::array<int, 2> fds{};
  checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  return {Fd(fds[0]), Fd(fds[1])};
}

TEST(Fd, ClosesAtTheEndOfItsScope) {
  int number = -1;
  {
    const Fd fd = open_null();
    number = fd.get();
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsDescriptorAndClosesTheOneItHad) {
  Fd one = open_null();
  Fd other = open_null();
  const int kept = one.get();
  const int closed = other.get();
  other = std::move(one);
  EXPECT_EQ(other.get(), kept);
  EXPECT_FALSE(one.valid());  // NOLINT(bugprone-use-after-move): being empty is what a moved-from Fd promises
  EXPECT_TRUE(is_open(kept));
  EXPECT_FALSE(is_open(closed));
}

TEST(Fd, SurvivesBeingAssignedToItself) {
  Fd fd = open_null();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, ResetClosesOnce) {
  Fd fd = open_null();
  const int number = fd.get();
  fd.reset();
  EXPECT_FALSE(fd.valid());
  EXPECT_FALSE(is_open(number));
  fd.reset();
}

TEST(Checked, NamesTheCallAndItsErrno) {
  try {
    checked(open("/nowhere/at/all", O_RDONLY | O_CLOEXEC), "open");
    FAIL() << "opened a file that does not exist";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.syscall(), "open");
    EXPECT_EQ(error.err(), ENOENT);
    EXPECT_STREQ(error.what(), "open: No such file or directory");
  }
}

TEST(FdSlot, InterruptsABlockedReceive) {
  auto [mine, peer] = socket_pair();
  FdSlot slot;
  std::atomic<bool> ended{false};
  ssize_t received = -1;
  std::thread worker([&, fd = mine.get()] {
    slot.publish(fd);
    char byte = 0;
    received = recv(fd, &byte, 1, 0);
    slot.retire();
    ended = true;
  });
  while (!ended) {
    slot.interrupt();
    std::this_thread::yield();
  }
  worker.join();
  EXPECT_EQ(received, 0);
}

TEST(FdSlot, NeverTouchesADescriptorAfterItWasRetired) {
  FdSlot slot;
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!done) slot.interrupt();
  });
  for (int round = 0; round < 2000; round++) {
    auto [published, its_peer] = socket_pair();
    slot.publish(published.get());
    slot.retire();
    const int number = published.get();
    published.reset();
    // The kernel hands out the lowest free number, so one of these takes over the retired one.
    auto [one, other] = socket_pair();
    ASSERT_TRUE(one.get() == number || other.get() == number);
    ASSERT_EQ(send(one.get(), "x", 1, MSG_NOSIGNAL), 1) << "round " << round;
  }
  done = true;
  interrupter.join();
}

TEST(OwnDescriptors, LeaveTheCommonTableAloneAndEndWithTheirThread) {
  auto [kept, peer] = socket_pair();
  auto [other, other_peer] = socket_pair();
  std::thread([&, fd = kept.get(), left_out = other.get()] {
    OwnDescriptors own({fd});
    EXPECT_TRUE(is_open(fd));
    EXPECT_FALSE(is_open(left_out));
    EXPECT_TRUE(is_open(STDERR_FILENO));
    EXPECT_EQ(send(fd, "x", 1, MSG_NOSIGNAL), 1);
    own.close_all_but(STDERR_FILENO);
    EXPECT_FALSE(is_open(fd));
    EXPECT_TRUE(is_open(STDERR_FILENO));
  }).join();
  EXPECT_TRUE(is_open(kept.get()));
  EXPECT_TRUE(is_open(other.get()));
  char byte = 0;
  EXPECT_EQ(recv(peer.get(), &byte, 1, 0), 1);
  kept.reset();
  // The last one is gone: end of stream, at once.
  EXPECT_EQ(recv(peer.get(), &byte, 1, MSG_DONTWAIT), 0);
}

}  // namespace
}  // namespace cnb
