#include "core/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "core/error.h"

namespace cnb {

namespace {

const sockaddr_in& v4(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in*>(address); }
const sockaddr_in6& v6(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in6*>(address); }

// 16 bytes that are equal for equal hosts, whichever family carried them.
void host_key(const sockaddr* address, uint8_t key[16]) {
  if (address->sa_family == AF_INET6) {
    std::memcpy(key, &v6(address).sin6_addr, 16);
    return;
  }
  std::memset(key, 0, 10);
  key[10] = key[11] = 0xff;
  std::memcpy(key + 12, &v4(address).sin_addr, 4);
}

// More than any kernel's default somaxconn (4096 since 5.4); the kernel lowers it to its own limit.
constexpr int kBacklog = 16384;

constexpr std::array<ExtraOption, 12> kExtraOptions{{
    {"SO_DEBUG", SOL_SOCKET, SO_DEBUG},
    {"SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE},
    {"SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE},
    {"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY},
    {"TCP_CORK", IPPROTO_TCP, TCP_CORK},
    {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT},
    {"TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN},
    {"TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
    {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER},
    {"IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL},
    {"IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER},
}};

}  // namespace

Address Address::parse(const std::string& host, uint16_t port) {
  Address address;
  auto* in = reinterpret_cast<sockaddr_in*>(&address.storage_);
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (inet_pton(AF_INET, host.c_str(), &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    return address;
  }
  const size_t percent = host.find('%');
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &in6->sin6_addr) != 1) {
    throw std::invalid_argument("not a numeric IP address: " + host);
  }
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  if (percent != std::string::npos) {
    in6->sin6_scope_id = if_nametoindex(host.c_str() + percent + 1);
    if (in6->sin6_scope_id == 0) throw std::invalid_argument("no such interface: " + host.substr(percent + 1));
  }
  return address;
}

Address Address::local_of(int fd) {
  Address address;
  socklen_t size = capacity();
  checked(getsockname(fd, address.raw(), &size), "getsockname");
  return address;
}

Address Address::peer_of(int fd) {
  Address address;
  socklen_t size = capacity();
  checked(getpeername(fd, address.raw(), &size), "getpeername");
  return address;
}

uint16_t Address::port() const { return ntohs(family() == AF_INET ? v4(raw()).sin_port : v6(raw()).sin6_port); }

void Address::set_port(uint16_t port) {
  if (family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
  }
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &v4(raw()).sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &v6(raw()).sin6_addr, text, sizeof text);
  }
  return text;
}

std::string Address::text() const {
  const std::string port_text = std::to_string(port());
  return family() == AF_INET6 ? "[" + host() + "]:" + port_text : host() + ":" + port_text;
}

bool Address::same_host(const Address& other) const {
  uint8_t mine[16], theirs[16];
  host_key(raw(), mine);
  host_key(other.raw(), theirs);
  return std::memcmp(mine, theirs, sizeof mine) == 0;
}

void set_int(int fd, int level, int option, int value, const char* what) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) throw_errno("setsockopt", what);
}

int get_int(int fd, int level, int option, const char* what) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, option, &value, &size) != 0) throw_errno("getsockopt", what);
  return value;
}

int reset_on_close(int fd) {
  const linger now{1, 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void set_pacing(int fd, uint64_t bytes_per_second) {
  // Kernels before 5.0 read 32 bits: rates beyond those then are no limit.
  if (setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second, sizeof bytes_per_second) != 0) {
    throw_errno("setsockopt", "SO_MAX_PACING_RATE");
  }
}

ExtraOption extra_option(const std::string& name, int value) {
  for (ExtraOption option : kExtraOptions) {
    if (name != option.name) continue;
    option.value = value;
    return option;
  }
  throw std::invalid_argument("no such socket option: " + name);
}

Fd tcp_socket(int family, bool nonblocking) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
  return Fd(checked(socket(family, type, IPPROTO_TCP), "socket"));
}

Fd udp_socket(int family, bool nonblocking) {
  const int type = SOCK_DGRAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
  return Fd(checked(socket(family, type, IPPROTO_UDP), "socket"));
}

void apply(int fd, const SocketOptions& options) {
  if (options.sndbuf > 0) set_int(fd, SOL_SOCKET, SO_SNDBUF, options.sndbuf, "SO_SNDBUF");
  if (options.rcvbuf > 0) set_int(fd, SOL_SOCKET, SO_RCVBUF, options.rcvbuf, "SO_RCVBUF");
  if (options.no_delay) set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  if (options.mss > 0) set_int(fd, IPPROTO_TCP, TCP_MAXSEG, options.mss, "TCP_MAXSEG");
  if (options.tos >= 0) {
    const bool v6 = get_int(fd, SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN") == AF_INET6;
    set_int(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, options.tos, "TOS");
  }
  for (const ExtraOption& extra : options.extra) set_int(fd, extra.level, extra.option, extra.value, extra.name);
  if (!options.congestion.empty()) {
    const std::string& name = options.congestion;
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.c_str(), static_cast<socklen_t>(name.size())) != 0) {
      throw_errno("setsockopt", "TCP_CONGESTION " + name);
    }
  }
}

void set_nonblocking(int fd, bool on) {
  const int flags = checked(fcntl(fd, F_GETFL), "fcntl");
  checked(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK), "fcntl");
}

Fd receive_on(const Address& at, const SocketOptions& options) {
  Fd fd = udp_socket(at.family(), true);
  if (at.family() == AF_INET6) set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY");
  apply(fd.get(), options);
  if (bind(fd.get(), at.raw(), at.size()) != 0) throw_errno("bind", at.text());
  share_port(fd.get());
  return fd;
}

// Of UDP sockets, both have to agree to it (udp_lib_get_port() in net/ipv4/udp.c); one that is bound before it does has
// its port for itself.
void share_port(int fd) { set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"); }

size_t whole_datagram(int fd) {
  const bool v6 = get_int(fd, SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN") == AF_INET6;
  const int headers = (v6 ? 40 : 20) + 8;
  int mtu = 0;
  socklen_t size = sizeof mtu;
  if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &size) != 0) return 0;
  return mtu > headers ? static_cast<size_t>(mtu - headers) : 0;
}

Fd listen_on(const Address& at, const SocketOptions& options, const ListenOptions& listen) {
  Fd fd = tcp_socket(at.family(), listen.nonblocking);
  // Connections of an earlier run in TIME_WAIT must not keep a fixed data port busy.
  set_int(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  if (listen.reuse_port) set_int(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
  if (at.family() == AF_INET6) set_int(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY");
  apply(fd.get(), options);
  if (listen.timeout_ms > 0) {
    const timeval timeout{listen.timeout_ms / 1000, (listen.timeout_ms % 1000) * 1000};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      if (setsockopt(fd.get(), SOL_SOCKET, option, &timeout, sizeof timeout) != 0)
        throw_errno("setsockopt", "SO_RCVTIMEO");
    }
  }
  if (bind(fd.get(), at.raw(), at.size()) != 0) throw_errno("bind", at.text());
  if (::listen(fd.get(), kBacklog) != 0) throw_errno("listen", at.text());
  return fd;
}

}  // namespace cnb
