#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <stdexcept>

#include "core/error.h"
#include "core/socket.h"

namespace cnb {
namespace {

TEST(Address, ParsesAndWritesBothFamilies) {
  const Address v4 = Address::parse("192.0.2.7", 12865);
  EXPECT_EQ(v4.family(), AF_INET);
  EXPECT_EQ(v4.port(), 12865);
  EXPECT_EQ(v4.text(), "192.0.2.7:12865");

  const Address v6 = Address::parse("2001:db8::7", 1);
  EXPECT_EQ(v6.family(), AF_INET6);
  EXPECT_EQ(v6.host(), "2001:db8::7");
  EXPECT_EQ(v6.text(), "[2001:db8::7]:1");
}

TEST(Address, ReadsTheScopeOfALinkLocalAddress) {
  const Address address = Address::parse("fe80::1%lo", 1);
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_scope_id, if_nametoindex("lo"));
  EXPECT_THROW(Address::parse("fe80::1%no-such-interface", 1), std::invalid_argument);
}

TEST(Address, RefusesWhatIsNoNumericAddress) {
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "::g", "[::1]", "1.2.3.4:80"}) {
    EXPECT_THROW(Address::parse(host, 1), std::invalid_argument) << host;
  }
}

TEST(Address, ComparesHostsAndNotPorts) {
  const Address host = Address::parse("192.0.2.7", 1);
  EXPECT_TRUE(host.same_host(Address::parse("192.0.2.7", 2)));
  EXPECT_TRUE(host.same_host(Address::parse("::ffff:192.0.2.7", 1)));
  EXPECT_FALSE(host.same_host(Address::parse("192.0.2.8", 1)));
  EXPECT_FALSE(host.same_host(Address::parse("::192.0.2.7", 1)));
}

TEST(Listen, TakesAnEphemeralPortAndRefusesOneThatIsTaken) {
  const Fd first = listen_on(Address::parse("127.0.0.1", 0), {}, {});
  const Address at = Address::local_of(first.get());
  EXPECT_NE(at.port(), 0);
  try {
    const Fd second = listen_on(at, {}, {});
    FAIL() << "two listeners on " << at.text();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.err(), EADDRINUSE);
    EXPECT_EQ(error.address(), at.text());
  }
}

TEST(Listen, AppliesTheSocketOptionsAsked) {
  SocketOptions options;
  options.rcvbuf = 65536;
  const Fd fd = listen_on(Address::parse("127.0.0.1", 0), options, {});
  // The kernel doubles the value for its own book-keeping: socket(7).
  EXPECT_EQ(get_int(fd.get(), SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF"), 2 * 65536);
  EXPECT_EQ(get_int(fd.get(), IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"), 1);
}

}  // namespace
}  // namespace cnb
