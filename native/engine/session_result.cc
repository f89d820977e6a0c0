// Reading and merging what a session has counted.

#include <algorithm>

#include "core/clock.h"
#include "engine/session.h"

namespace cnb {

namespace {

void add_all(Totals& totals, const Recorder& recorder, size_t flows) {
  for (size_t i = 0; i < flows; i++) totals.add(recorder.flows[i]);
}

// The per-worker counters of a CRR server sit in its first slot, since its connections belong to no flow.
size_t slots_of(const Plan& plan, const Worker& worker) {
  return plan.role == Role::server && !plan.long_lived() ? 1 : worker.flow_count();
}

// What the flows did since the window opened; flows that did not tell then, or do not now, are empty.
std::vector<std::optional<TcpInfo>> within_window(std::vector<std::optional<TcpInfo>> now,
                                                  const std::vector<std::optional<TcpInfo>>& open) {
  for (size_t i = 0; i < now.size(); i++) {
    const bool told = now[i] && i < open.size() && open[i];
    now[i] = told ? std::optional(now[i]->since(*open[i])) : std::nullopt;
  }
  return now;
}

Latencies merge_latencies(const std::vector<std::unique_ptr<Worker>>& workers) {
  Latencies merged;
  for (const auto& worker : workers) {
    const LatencyRecord& record = *worker->window().latency;
    record.latency.merge_into(merged.latency);
    if (record.connect) record.connect->merge_into(merged.connect ? *merged.connect : merged.connect.emplace());
    if (record.request) record.request->merge_into(merged.request ? *merged.request : merged.request.emplace());
  }
  return merged;
}

}  // namespace

void Totals::add(const FlowCounters& flow) {
  bytes_sent += flow.bytes_sent.load();
  bytes_received += flow.bytes_received.load();
  transactions += flow.transactions.load();
  connections += flow.connections.load();
  errors.ports_exhausted += flow.errors.ports_exhausted.load();
  errors.refused += flow.errors.refused.load();
  errors.timed_out += flow.errors.timed_out.load();
  errors.reset += flow.errors.reset.load();
  errors.other += flow.errors.other.load();
  datagrams.sent += flow.datagrams.sent.load();
  datagrams.received += flow.datagrams.received.load();
  datagrams.marked += flow.datagrams.marked.load();
  datagrams.lost += flow.datagrams.lost.load();
  datagrams.late += flow.datagrams.late.load();
  datagrams.refused += flow.datagrams.refused.load();
}

Snapshot Session::snapshot(SnapshotParts parts) const {
  Snapshot snapshot;
  snapshot.at_ns = now_ns();
  const uint64_t opened = opened_ns_.load(std::memory_order_acquire);
  const uint64_t closed = shared_.closed_ns.load(std::memory_order_acquire);
  if (opened != 0) snapshot.window_ns = (closed != 0 ? closed : std::max(snapshot.at_ns, opened)) - opened;
  snapshot.ready = ready_.load(std::memory_order_acquire);
  for (const auto& worker : workers_) add_all(snapshot.totals, worker->window(), slots_of(plan_, *worker));
  if (parts.latency && workers_[0]->window().latency) {
    HistogramData merged;
    for (const auto& worker : workers_) worker->window().latency->latency.merge_into(merged);
    snapshot.latency = std::move(merged);
  }
  if (parts.tcp) {
    const std::lock_guard lock(mutex_);
    const bool within = !info_at_open_.empty() && closed == 0 && !joined_;
    if (within) snapshot.tcp = summarize(within_window(read_tcp_info(), info_at_open_));
  }
  return snapshot;
}

Result Session::result() const {
  Result result;
  result.window_ns = shared_.closed_ns.load() - opened_ns_.load();
  result.worker_cpu_ns = worker_cpu_ns_;
  result.udp = plan_.udp.has_value();
  result.window_drops = drops_at_close_.value_or(0) - drops_at_open_.value_or(0);
  result.total_drops = drops_at_end_;
  result.socket = facts_;
  result.tcp_state = tcp_state_;
  result.fault = fault_;
  result.flows.reserve(plan_.flows);
  Result::Zerocopy zerocopy{};
  Result::RxZerocopy rx_zerocopy{};
  uint64_t backlog = 0;
  for (const auto& worker : workers_) {
    const Recorder& window = worker->window();
    const size_t slots = slots_of(plan_, *worker);
    add_all(result.window, window, slots);
    add_all(result.total, window, slots);
    add_all(result.total, worker->outside(), slots);
    for (size_t i = 0; i < slots; i++) {
      FlowResult& flow = result.flows.emplace_back();
      flow.totals.add(window.flows[i]);
      // Marked ones count whenever they come.
      flow.totals.datagrams.marked += worker->outside().flows[i].datagrams.marked.load();
      flow.cpu = worker->cpu();
      flow.connects = plan_.role == Role::client && !plan_.long_lived();
    }
    backlog += worker->backlog();
    zerocopy.requested += window.zerocopy.requested.load();
    zerocopy.zero_copied += window.zerocopy.zero_copied.load();
    zerocopy.copied += window.zerocopy.copied.load();
    rx_zerocopy.mapped += window.rx_zerocopy.mapped.load();
    rx_zerocopy.copied += window.rx_zerocopy.copied.load();
    result.huge_pages = result.huge_pages || worker->huge_pages();
    result.memory_nodes.push_back(worker->memory_node());
  }
  result.window.datagrams.marked = result.total.datagrams.marked;
  const auto infos = within_window(info_at_close_, info_at_open_);
  for (size_t i = 0; i < result.flows.size() && i < infos.size(); i++) result.flows[i].tcp_info = infos[i];
  result.tcp = summarize(infos);
  for (size_t i = 0; i < incoming_at_close_.size(); i++) result.flows[i].incoming_cpu = incoming_at_close_[i];
  if (plan_.loop == LoopKind::send && plan_.zerocopy == Zerocopy::msg) result.zerocopy = zerocopy;
  if (plan_.loop == LoopKind::receive && plan_.rx == Rx::zerocopy) result.rx_zerocopy = rx_zerocopy;
  if (plan_.open_loop()) result.backlog = backlog;
  if (workers_[0]->window().latency) result.latencies = merge_latencies(workers_);
  return result;
}

Session::Moved Session::moved() const {
  Totals totals;
  for (const auto& worker : workers_) {
    for (const Recorder* recorder : {&worker->window(), &worker->outside()}) {
      add_all(totals, *recorder, slots_of(plan_, *worker));
    }
  }
  return {totals.bytes_sent, totals.bytes_received};
}

uint64_t Session::workers_cpu_ns() const {
  uint64_t sum = 0;
  if (!joined_) {
    for (const auto& worker : workers_) sum += worker->cpu_ns();
  }
  return sum;
}

// TCP_INFO of every flow. Only while the sockets cannot go away: on the session's own thread, or under the mutex.
Session::TcpInfos Session::read_tcp_info() const {
  TcpInfos all;
  all.reserve(plan_.flows);
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < worker->flow_count(); i++) all.push_back(tcp_info_of(worker->flow_fd(i)));
  }
  return all;
}

std::vector<int> Session::read_incoming_cpus() const {
  std::vector<int> cpus;
  cpus.reserve(plan_.flows);
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < worker->flow_count(); i++) cpus.push_back(incoming_cpu_of(worker->flow_fd(i)));
  }
  return cpus;
}

uint64_t Session::read_drops() const {
  uint64_t drops = 0;
  if (!plan_.udp) return 0;
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < worker->flow_count(); i++) drops += socket_drops(worker->flow_fd(i));
  }
  return drops;
}

// Reads TCP_INFO when the window has opened and again when it has closed: what the flows' counters grew by in between
// is the window's.
void Session::note_tcp_info() {
  if (plan_.long_lived() && shared_.closed_ns.load() != 0 && incoming_at_close_.empty()) {
    incoming_at_close_ = read_incoming_cpus();
  }
  if (plan_.udp) {
    if (opened_ns_.load() != 0 && !drops_at_open_) drops_at_open_ = read_drops();
    if (shared_.closed_ns.load() != 0 && !drops_at_close_) drops_at_close_ = read_drops();
    return;
  }
  if (!plan_.long_lived()) return;
  if (opened_ns_.load() != 0 && info_at_open_.empty()) {
    TcpInfos infos = read_tcp_info();
    const std::lock_guard lock(mutex_);
    info_at_open_ = std::move(infos);
  }
  if (shared_.closed_ns.load() != 0 && info_at_close_.empty()) {
    info_at_close_ = read_tcp_info();
    if (const int fd = workers_[0]->flow_fd(0); fd >= 0) {
      facts_ = socket_facts_of(fd, false);
      if (plan_.foreign) tcp_state_ = tcp_state_of(fd);
    }
  }
}

}  // namespace cnb
