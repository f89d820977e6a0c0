#include "engine/facts.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "core/socket.h"

namespace cnb {

std::optional<TcpInfo> tcp_info_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  TcpInfo result;
  result.rtt_ns = uint64_t{info.tcpi_rtt} * 1000;
  result.rttvar_ns = uint64_t{info.tcpi_rttvar} * 1000;
  result.retransmits = info.tcpi_total_retrans;
  result.cwnd_packets = info.tcpi_snd_cwnd;
  result.mss_bytes = info.tcpi_snd_mss;
  // Older kernels return a shorter structure. All ones is the kernel's "no sample yet" of min_rtt.
  if (size >= offsetof(tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt && info.tcpi_min_rtt != UINT32_MAX) {
    result.min_rtt_ns = uint64_t{info.tcpi_min_rtt} * 1000;
  }
  if (size >= offsetof(tcp_info, tcpi_delivery_rate) + sizeof info.tcpi_delivery_rate) {
    result.delivery_rate_bits_per_second = info.tcpi_delivery_rate * 8;
  }
  return result;
}

SocketFacts socket_facts_of(int fd) {
  SocketFacts facts;
  facts.sndbuf = get_int(fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF");
  facts.rcvbuf = get_int(fd, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF");
  facts.mss = get_int(fd, IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG");
  char name[16] = "";  // TCP_CA_NAME_MAX
  socklen_t size = sizeof name;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0) facts.congestion.assign(name);
  return facts;
}

}  // namespace cnb
