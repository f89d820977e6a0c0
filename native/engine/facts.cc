#include "engine/facts.h"

#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
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
  if (size >= offsetof(tcp_info, tcpi_sndbuf_limited) + sizeof info.tcpi_sndbuf_limited) {
    result.busy_ns = info.tcpi_busy_time * 1000;
    result.rwnd_limited_ns = info.tcpi_rwnd_limited * 1000;
    result.sndbuf_limited_ns = info.tcpi_sndbuf_limited * 1000;
  }
  return result;
}

TcpInfo TcpInfo::since(const TcpInfo& start) const {
  TcpInfo info = *this;
  info.retransmits -= start.retransmits;
  info.busy_ns -= start.busy_ns;
  info.rwnd_limited_ns -= start.rwnd_limited_ns;
  info.sndbuf_limited_ns -= start.sndbuf_limited_ns;
  return info;
}

std::optional<TcpSummary> summarize(const std::vector<std::optional<TcpInfo>>& flows) {
  TcpSummary summary;
  TcpInfo& sum = summary.info;
  sum.min_rtt_ns = UINT64_MAX;
  for (const auto& flow : flows) {
    if (!flow) continue;
    summary.flows++;
    sum.rtt_ns += flow->rtt_ns;
    sum.rttvar_ns += flow->rttvar_ns;
    sum.min_rtt_ns = std::min(sum.min_rtt_ns, flow->min_rtt_ns);
    sum.cwnd_packets += flow->cwnd_packets;
    sum.mss_bytes += flow->mss_bytes;
    sum.delivery_rate_bits_per_second += flow->delivery_rate_bits_per_second;
    sum.retransmits += flow->retransmits;
    sum.busy_ns += flow->busy_ns;
    sum.rwnd_limited_ns += flow->rwnd_limited_ns;
    sum.sndbuf_limited_ns += flow->sndbuf_limited_ns;
  }
  if (summary.flows == 0) return std::nullopt;
  for (uint64_t* mean : {&sum.rtt_ns, &sum.rttvar_ns, &sum.cwnd_packets, &sum.mss_bytes}) *mean /= summary.flows;
  return summary;
}

int incoming_cpu_of(int fd) {
  int cpu = -1;
  socklen_t size = sizeof cpu;
  return getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &size) == 0 ? cpu : -1;
}

uint64_t socket_drops(int fd) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof info;
  // Kernels before 4.12 do not tell.
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

SocketFacts socket_facts_of(int fd, bool udp) {
  SocketFacts facts;
  facts.sndbuf = get_int(fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF");
  facts.rcvbuf = get_int(fd, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF");
  if (udp) {
    facts.mss = static_cast<int>(whole_datagram(fd));
    return facts;
  }
  facts.mss = get_int(fd, IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG");
  facts.notsent_lowat = get_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT");
  char name[16] = "";  // TCP_CA_NAME_MAX
  socklen_t size = sizeof name;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0) facts.congestion.assign(name);
  return facts;
}

std::optional<TcpState> tcp_state_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return TcpState{info.tcpi_rto,        info.tcpi_ato,          info.tcpi_pmtu,         info.tcpi_rcv_ssthresh,
                  info.tcpi_rtt,        info.tcpi_rttvar,       info.tcpi_snd_ssthresh, info.tcpi_snd_cwnd,
                  info.tcpi_reordering, info.tcpi_total_retrans};
}

}  // namespace cnb
