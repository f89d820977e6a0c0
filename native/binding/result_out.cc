#include <uv.h>

#include "binding/convert.h"

namespace cnb {

namespace {

// Counts and nanoseconds stay far below 2^53, where a double is exact.
Napi::Number number(Napi::Env env, uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

void set(Napi::Object& object, const char* key, uint64_t value) { object.Set(key, number(object.Env(), value)); }

std::string errno_name(int err) {
  char name[64];
  return uv_err_name_r(-err, name, sizeof name);
}

Napi::Object histogram(Napi::Env env, const HistogramData& data) {
  size_t first = 0;
  size_t end = data.counts.size();
  while (first < end && data.counts[first] == 0) first++;
  while (end > first && data.counts[end - 1] == 0) end--;
  auto counts = Napi::Float64Array::New(env, end - first);
  for (size_t i = first; i < end; i++) counts[i - first] = static_cast<double>(data.counts[i]);
  Napi::Object object = Napi::Object::New(env);
  const bool empty = first == end;
  set(object, "first", empty ? 0 : first);
  object.Set("counts", counts);
  set(object, "sumNs", data.sum);
  set(object, "minNs", empty ? 0 : data.min);
  set(object, "maxNs", data.max);
  return object;
}

Napi::Object errors(Napi::Env env, const ConnectErrorTotals& totals) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "portsExhausted", totals.ports_exhausted);
  set(object, "refused", totals.refused);
  set(object, "timedOut", totals.timed_out);
  set(object, "reset", totals.reset);
  set(object, "other", totals.other);
  return object;
}

Napi::Object counters(Napi::Env env, const Totals& totals) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "bytesSent", totals.bytes_sent);
  set(object, "bytesReceived", totals.bytes_received);
  set(object, "transactions", totals.transactions);
  set(object, "connections", totals.connections);
  object.Set("connectErrors", errors(env, totals.errors));
  return object;
}

Napi::Object datagrams(Napi::Env env, const DatagramTotals& totals) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "sent", totals.sent);
  set(object, "received", totals.received);
  set(object, "marked", totals.marked);
  set(object, "lost", totals.lost);
  set(object, "late", totals.late);
  set(object, "refused", totals.refused);
  return object;
}

// Both of the window and of the whole session.
Napi::Object counters(Napi::Env env, const Result& result, bool whole) {
  const Totals& totals = whole ? result.total : result.window;
  Napi::Object object = counters(env, totals);
  if (!result.udp) return object;
  Napi::Object udp = datagrams(env, totals.datagrams);
  set(udp, "dropped", whole ? result.total_drops : result.window_drops);
  object.Set("datagrams", udp);
  return object;
}

Napi::Object tcp_info(Napi::Env env, const TcpInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "rttNs", info.rtt_ns);
  set(object, "rttvarNs", info.rttvar_ns);
  set(object, "minRttNs", info.min_rtt_ns);
  set(object, "retransmits", info.retransmits);
  set(object, "cwndPackets", info.cwnd_packets);
  set(object, "mssBytes", info.mss_bytes);
  set(object, "deliveryRateBitsPerSecond", info.delivery_rate_bits_per_second);
  set(object, "busyNs", info.busy_ns);
  set(object, "rwndLimitedNs", info.rwnd_limited_ns);
  set(object, "sndbufLimitedNs", info.sndbuf_limited_ns);
  return object;
}

Napi::Object tcp_state(Napi::Env env, const TcpState& tcp) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "rto", tcp.rto);
  set(object, "ato", tcp.ato);
  set(object, "pmtu", tcp.pmtu);
  set(object, "rcvSsthresh", tcp.rcv_ssthresh);
  set(object, "rtt", tcp.rtt);
  set(object, "rttvar", tcp.rttvar);
  set(object, "sndSsthresh", tcp.snd_ssthresh);
  set(object, "sndCwnd", tcp.snd_cwnd);
  set(object, "reordering", tcp.reordering);
  set(object, "totalRetrans", tcp.total_retrans);
  return object;
}

Napi::Object tcp_summary(Napi::Env env, const TcpSummary& summary) {
  Napi::Object object = tcp_info(env, summary.info);
  set(object, "flows", summary.flows);
  return object;
}

Napi::Object flow(Napi::Env env, const FlowResult& result, bool udp) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "bytesSent", result.totals.bytes_sent);
  set(object, "bytesReceived", result.totals.bytes_received);
  set(object, "transactions", result.totals.transactions);
  object.Set("cpu", Napi::Number::New(env, result.cpu));
  if (result.incoming_cpu) object.Set("incomingCpu", Napi::Number::New(env, *result.incoming_cpu));
  if (result.connects) object.Set("connectErrors", errors(env, result.totals.errors));
  if (udp) object.Set("datagrams", datagrams(env, result.totals.datagrams));
  if (result.tcp_info) object.Set("tcpInfo", tcp_info(env, *result.tcp_info));
  return object;
}

}  // namespace

Napi::Value to_js(Napi::Env env, const Fault& fault) {
  if (!fault) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("phase", fault.phase);
  object.Set("syscall", fault.syscall);
  object.Set("errno", Napi::Number::New(env, fault.err));
  switch (fault.reason) {
    case Fault::Reason::peer_closed:
      object.Set("code", "PEER_CLOSED");
      break;
    case Fault::Reason::timeout:
      object.Set("code", "TIMEOUT");
      break;
    default:
      object.Set("code", errno_name(fault.err));
  }
  object.Set("address", fault.address);
  object.Set("message", fault.message);
  return object;
}

Napi::Value to_js(Napi::Env env, const Snapshot& snapshot) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "atNs", snapshot.at_ns);
  set(object, "windowNs", snapshot.window_ns);
  object.Set("ready", Napi::Boolean::New(env, snapshot.ready));
  object.Set("counters", counters(env, snapshot.totals));
  if (snapshot.latency) object.Set("latency", histogram(env, *snapshot.latency));
  if (snapshot.tcp) object.Set("tcp", tcp_summary(env, *snapshot.tcp));
  return object;
}

Napi::Value to_js(Napi::Env env, const Result& result) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "windowNs", result.window_ns);
  object.Set("counters", counters(env, result, false));
  object.Set("total", counters(env, result, true));
  auto flows = Napi::Array::New(env, result.flows.size());
  for (uint32_t i = 0; i < result.flows.size(); i++) {
    const Napi::HandleScope scope(env);  // thousands of flows must not pile up handles
    flows.Set(i, flow(env, result.flows[i], result.udp));
  }
  object.Set("flows", flows);
  if (result.tcp) object.Set("tcp", tcp_summary(env, *result.tcp));
  if (result.latencies) {
    object.Set("latency", histogram(env, result.latencies->latency));
    if (result.latencies->connect) object.Set("connectLatency", histogram(env, *result.latencies->connect));
    if (result.latencies->request) object.Set("requestLatency", histogram(env, *result.latencies->request));
  }
  if (result.zerocopy) {
    Napi::Object zerocopy = Napi::Object::New(env);
    set(zerocopy, "requestedBytes", result.zerocopy->requested);
    set(zerocopy, "zeroCopiedBytes", result.zerocopy->zero_copied);
    set(zerocopy, "copiedBytes", result.zerocopy->copied);
    object.Set("zerocopy", zerocopy);
  }
  if (result.rx_zerocopy) {
    Napi::Object zerocopy = Napi::Object::New(env);
    set(zerocopy, "mappedBytes", result.rx_zerocopy->mapped);
    set(zerocopy, "copiedBytes", result.rx_zerocopy->copied);
    object.Set("rxZerocopy", zerocopy);
  }
  if (result.backlog) set(object, "backlog", *result.backlog);
  object.Set("buffers", result.huge_pages ? "huge" : "page");
  auto nodes = Napi::Array::New(env, result.memory_nodes.size());
  for (uint32_t i = 0; i < result.memory_nodes.size(); i++) nodes.Set(i, result.memory_nodes[i]);
  object.Set("memoryNodes", nodes);
  set(object, "workerCpuNs", result.worker_cpu_ns);
  Napi::Object socket = Napi::Object::New(env);
  socket.Set("sndbufBytes", Napi::Number::New(env, result.socket.sndbuf));
  socket.Set("rcvbufBytes", Napi::Number::New(env, result.socket.rcvbuf));
  socket.Set("congestion", result.socket.congestion);
  socket.Set("mssBytes", Napi::Number::New(env, result.socket.mss));
  if (const auto lowat = result.socket.notsent_lowat) {
    socket.Set("notsentLowatBytes", Napi::Number::New(env, *lowat));
  }
  object.Set("socket", socket);
  if (result.tcp_state) object.Set("tcpState", tcp_state(env, *result.tcp_state));
  object.Set("fault", to_js(env, result.fault));
  return object;
}

Napi::Value to_js(Napi::Env env, const LinkFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  const auto flag = [&](const char* key, std::optional<bool> value) {
    if (value) object.Set(key, Napi::Boolean::New(env, *value));
  };
  flag("tso", facts.tso);
  flag("gso", facts.gso);
  flag("gro", facts.gro);
  flag("lro", facts.lro);
  flag("rxChecksum", facts.rx_checksum);
  flag("txChecksum", facts.tx_checksum);
  if (!facts.qdisc.empty()) object.Set("qdisc", facts.qdisc);
  return object;
}

Napi::Error to_js_error(Napi::Env env, const SystemError& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Set("code", errno_name(error.err()));
  js.Set("syscall", error.syscall());
  js.Set("errno", Napi::Number::New(env, error.err()));
  js.Set("address", error.address());
  return js;
}

}  // namespace cnb
