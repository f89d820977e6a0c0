import type { NativeTcpState } from "../../native/index.js";

/** What DUMP_TCP_INFO asks for; the name of the window's size is misspelt in netperf, and readers know it so. */
export function renderTcpInfo(tcp: NativeTcpState): string {
  return (
    `tcpi_rto ${tcp.rto} tcpi_ato ${tcp.ato} tcpi_pmtu ${tcp.pmtu} tcpi_rcv_ssthresh ${tcp.rcvSsthresh}\n` +
    `tcpi_rtt ${tcp.rtt} tcpi_rttvar ${tcp.rttvar} tcpi_snd_ssthresh ${tcp.sndSsthresh} tpci_snd_cwnd ${tcp.sndCwnd}\n` +
    `tcpi_reordering ${tcp.reordering} tcpi_total_retrans ${tcp.totalRetrans}\n`
  );
}
