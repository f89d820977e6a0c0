#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cnb {

// What the kernel says of one connection (TCP_INFO, include/uapi/linux/tcp.h).
struct TcpInfo {
  uint64_t rtt_ns = 0;
  uint64_t rttvar_ns = 0;
  uint64_t min_rtt_ns = 0;
  // Since the connection began.
  uint64_t retransmits = 0;
  uint64_t cwnd_packets = 0;
  uint64_t mss_bytes = 0;
  uint64_t delivery_rate_bits_per_second = 0;
};

// What the kernel made of the socket options asked for.
struct SocketFacts {
  int sndbuf = 0;
  int rcvbuf = 0;
  std::string congestion;
  int mss = 0;
};

std::optional<TcpInfo> tcp_info_of(int fd);
SocketFacts socket_facts_of(int fd);

}  // namespace cnb
