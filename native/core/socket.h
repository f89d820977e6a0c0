#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/fd.h"

namespace cnb {

// An IPv4 or IPv6 address with a port.
class Address {
 public:
  Address() = default;
  // Parses a numeric address, IPv6 with an optional "%scope". Throws std::invalid_argument.
  static Address parse(const std::string& host, uint16_t port);
  static Address local_of(int fd);
  static Address peer_of(int fd);

  int family() const { return storage_.ss_family; }
  uint16_t port() const;
  void set_port(uint16_t port);
  std::string host() const;
  // "1.2.3.4:80" or "[::1]:80".
  std::string text() const;
  // Same host, ports aside; an IPv4-mapped IPv6 address equals its IPv4 form.
  bool same_host(const Address& other) const;

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage_); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_storage); }

 private:
  sockaddr_storage storage_{};
};

// An integer option that nothing here gives a meaning to; set as it is.
struct ExtraOption {
  const char* name = "";
  int level = 0;
  int option = 0;
  int value = 0;

  bool operator==(const ExtraOption&) const = default;
};

// By its name in socket(7), tcp(7), ip(7) or ipv6(7). Throws std::invalid_argument for names that are not known here.
ExtraOption extra_option(const std::string& name, int value);

// What is set on every socket before it connects or listens. Zero or empty leaves the kernel's choice.
struct SocketOptions {
  int sndbuf = 0;
  int rcvbuf = 0;
  bool no_delay = true;
  std::string congestion;
  int mss = 0;
  // IP_TOS or IPV6_TCLASS, -1 = the default.
  int tos = -1;
  std::vector<ExtraOption> extra;

  bool operator==(const SocketOptions&) const = default;
};

void set_int(int fd, int level, int option, int value, const char* what);
int get_int(int fd, int level, int option, const char* what);

// Its close(2) drops what is unsent and tells the peer by a reset. setsockopt(2)'s result.
int reset_on_close(int fd);

// TCP sends its payload no faster than that.
void set_pacing(int fd, uint64_t bytes_per_second);

Fd tcp_socket(int family, bool nonblocking);
Fd udp_socket(int family, bool nonblocking);
void apply(int fd, const SocketOptions& options);
void set_nonblocking(int fd, bool on);

struct ListenOptions {
  bool nonblocking = false;
  bool reuse_port = false;
  // Bounds a blocking accept, and every receive and send of the accepted sockets, which inherit it. 0 = for ever.
  int timeout_ms = 0;
};

// A socket that datagrams to `at` come to. Nobody else has that address and port; but more sockets of this process can
// share them from then on (share_port), to be connected to one peer each.
Fd receive_on(const Address& at, const SocketOptions& options);
void share_port(int fd);

// The largest payload of a datagram that a packet of its own carries to the peer of a connected socket, as far as the
// kernel knows the path; 0 where the socket is not connected.
size_t whole_datagram(int fd);

Fd listen_on(const Address& at, const SocketOptions& options, const ListenOptions& listen);

}  // namespace cnb
