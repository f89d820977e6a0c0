#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cnb {

// What the kernel says of one connection (TCP_INFO, include/uapi/linux/tcp.h).
struct TcpInfo {
  uint64_t rtt_ns = 0;
  uint64_t rttvar_ns = 0;
  uint64_t min_rtt_ns = 0;
  uint64_t cwnd_packets = 0;
  uint64_t mss_bytes = 0;
  uint64_t delivery_rate_bits_per_second = 0;
  // Since the connection began, until since() says otherwise.
  uint64_t retransmits = 0;
  uint64_t busy_ns = 0;  // with data to send
  uint64_t rwnd_limited_ns = 0;
  uint64_t sndbuf_limited_ns = 0;

  // The same with what grows counted from `start`.
  TcpInfo since(const TcpInfo& start) const;
};

// Several connections as one: means of what describes them, sums of what they did.
struct TcpSummary {
  uint64_t flows = 0;
  TcpInfo info;
};

// Fields of a connection's TCP_INFO under their names in the kernel, in its units.
struct TcpState {
  uint32_t rto, ato, pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, reordering, total_retrans;
};

// What the kernel made of the socket options asked for.
struct SocketFacts {
  int sndbuf = 0;
  int rcvbuf = 0;
  std::string congestion;
  // Not of UDP; 0 where the kernel's own setting holds (net.ipv4.tcp_notsent_lowat).
  std::optional<int> notsent_lowat;
  int mss = 0;  // UDP: the largest datagram that goes to the peer in one packet, 0 where the peer is not known
};

std::optional<TcpInfo> tcp_info_of(int fd);
// Nothing where none of the connections tells.
std::optional<TcpSummary> summarize(const std::vector<std::optional<TcpInfo>>& flows);
std::optional<TcpState> tcp_state_of(int fd);
SocketFacts socket_facts_of(int fd, bool udp);
// The CPU that received a socket's last packet (SO_INCOMING_CPU), -1 where none has come or the kernel does not tell.
int incoming_cpu_of(int fd);
// Datagrams that the kernel has dropped on their way into a socket, mostly for want of room in its buffer.
uint64_t socket_drops(int fd);

}  // namespace cnb
