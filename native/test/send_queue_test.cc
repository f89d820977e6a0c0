// How much a sender's kernel holds that has not left yet, as it tells itself.

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "session_pair.h"

namespace cnb::test {

namespace {

constexpr int kLowat = 32 * 1024;
// The kernel looks before it begins a segment, and then fills it: as large as loopback's, 64 KiB.
constexpr int kMost = kLowat + 64 * 1024;

// The socket of this process that is connected to a port of this host.
int connected_to(uint16_t port) {
  for (int fd = 0; fd < 4096; fd++) {
    Address peer;
    socklen_t size = Address::capacity();
    if (getpeername(fd, peer.raw(), &size) == 0 && peer.family() == AF_INET && peer.port() == port) return fd;
  }
  return -1;
}

int unsent(int fd) {
  int bytes = 0;
  checked(ioctl(fd, SIOCOUTQNSD, &bytes), "ioctl");
  return bytes;
}

bool await_unsent(int fd, int bytes) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (unsent(fd) < bytes) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class SendQueue : public EveryEngine {};

INSTANTIATE_TEST_SUITE_P(Unsent, SendQueue, testing::ValuesIn(kEngines),
                         [](const auto& instance) { return name_of(instance.param); });

// To a peer that takes nothing, and then all that there is, bit by bit.
TEST_P(SendQueue, HoldsNoMoreThanItWasTold) {
  for (const bool bounded : {false, true}) {
    const Fd listener = listen_on(Address::parse("127.0.0.1", 0), {}, {});
    const uint16_t port = Address::local_of(listener.get()).port();
    Plan plan = client_half(plan_for(LoopKind::send, GetParam(), 1), port);
    plan.send_size = 16 * 1024;
    plan.notsent_lowat = bounded ? kLowat : 0;
    Observed client(plan);
    const Fd peer(checked(accept(listener.get(), nullptr, nullptr), "accept"));
    ASSERT_TRUE(client.await_ready());
    const int sender = connected_to(port);
    ASSERT_GE(sender, 0);
    EXPECT_EQ(get_int(sender, IPPROTO_TCP, TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT"), plan.notsent_lowat);
    client->open_window();
    client->go();
    // One who asks first whether there is room is told so below half of it (tcp_stream_memory_free()).
    ASSERT_TRUE(await_unsent(sender, bounded ? kLowat / 2 : 2 * kMost));
    std::string buffer(64 * 1024, '\0');
    for (int i = 0; bounded && i < 1000; i++) {
      ASSERT_GT(recv(peer.get(), buffer.data(), buffer.size(), 0), 0);
      ASSERT_LT(unsent(sender), kMost);
    }
    client->close_window();
    client->stop();
    ASSERT_TRUE(client.await_ended());
    EXPECT_EQ(client->result().socket.notsent_lowat, plan.notsent_lowat);
  }
}

}  // namespace

}  // namespace cnb::test
