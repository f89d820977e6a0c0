#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/fd.h"
#include "engine/facts.h"
#include "engine/pacer.h"
#include "engine/plan.h"
#include "engine/udp_setup.h"
#include "engine/worker.h"

namespace cnb {

struct ConnectErrorTotals {
  uint64_t ports_exhausted = 0;
  uint64_t refused = 0;
  uint64_t timed_out = 0;
  uint64_t reset = 0;
  uint64_t other = 0;
};

// UDP only; recorder.h says what each is.
struct DatagramTotals {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t marked = 0;
  uint64_t lost = 0;
  uint64_t late = 0;
  uint64_t refused = 0;
};

struct Totals {
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t transactions = 0;
  uint64_t connections = 0;
  ConnectErrorTotals errors;
  DatagramTotals datagrams;

  void add(const FlowCounters& flow);
};

struct FlowResult {
  Totals totals;
  int cpu = -1;
  std::optional<int> incoming_cpu;  // long-lived flows: where packets came in, -1 where that is not known
  bool connects = false;            // it makes connections of its own (CRR client)
  std::optional<TcpInfo> tcp_info;
};

struct Latencies {
  HistogramData latency;
  std::optional<HistogramData> connect;
  std::optional<HistogramData> request;
};

struct Snapshot {
  uint64_t at_ns = 0;
  uint64_t window_ns = 0;
  bool ready = false;
  Totals totals;
  std::optional<HistogramData> latency;
  std::optional<TcpSummary> tcp;
};

// What a snapshot takes beside the counters, since it costs more.
struct SnapshotParts {
  bool latency = false;
  bool tcp = false;  // long-lived flows within the window
};

struct Result {
  bool udp = false;
  uint64_t window_ns = 0;
  // UDP: datagrams that were dropped on their way into the flows' sockets, within the window and at all.
  uint64_t window_drops = 0;
  uint64_t total_drops = 0;
  Totals window;
  Totals total;
  std::vector<FlowResult> flows;
  std::optional<TcpSummary> tcp;
  std::optional<Latencies> latencies;
  struct Zerocopy {
    uint64_t requested, zero_copied, copied;
  };
  std::optional<Zerocopy> zerocopy;
  struct RxZerocopy {
    uint64_t mapped, copied;
  };
  std::optional<RxZerocopy> rx_zerocopy;
  // Open loop: requests that were due before the window closed and not sent by then.
  std::optional<uint64_t> backlog;
  bool huge_pages = false;
  std::vector<int> memory_nodes;  // of each worker, -1 without one
  uint64_t worker_cpu_ns = 0;
  SocketFacts socket;
  // Of the first flow to a foreign peer, when the window closed.
  std::optional<TcpState> tcp_state;
  Fault fault;
};

// One host's half of one test: brings the flows up, holds the workers at the barrier, opens and closes the window,
// stops, joins and merges. A thread of its own does all that may wait; every public function returns at once and may be
// called from any one thread.
class Session {
 public:
  enum class Event { ready, ended };
  // Called on the session's own thread: at most once `ready`, then exactly once `ended`, when all workers have been
  // joined.
  using OnEvent = std::function<void(Event)>;

  // Opens the listener (server). Throws std::invalid_argument for a bad plan, SystemError where a socket or thread
  // cannot be had.
  Session(Plan plan, Worker::Loop loop, OnEvent on_event);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  uint16_t port() const { return port_; }
  void go();
  void open_window();
  void close_window();
  void stop();
  Snapshot snapshot(SnapshotParts parts) const;
  // Payload of the whole session until now, whether it counts or not.
  struct Moved {
    uint64_t sent = 0;
    uint64_t received = 0;
  };
  Moved moved() const;
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // Only once ended().
  Result result() const;

 private:
  void open_listeners();
  void create_workers();
  void main();
  void bring_up();
  void bring_up_udp();
  void settle_datagrams(int fd);
  void start_workers();
  void hand_out(std::vector<Fd> flows);
  void supervise();
  void await_end_of_flows();
  void wind_up();
  bool workers_done() const;
  void close_window_at(uint64_t now);
  using TcpInfos = std::vector<std::optional<TcpInfo>>;
  TcpInfos read_tcp_info() const;
  void note_tcp_info();
  std::vector<int> read_incoming_cpus() const;
  uint64_t read_drops() const;
  void keep_pace();
  void open_gate();
  void close_door();
  void await_wake(int timeout_ms);
  Fd sample_socket() const;
  uint64_t workers_cpu_ns() const;
  void wake();
  bool drain_wake();
  Worker& worker_of(size_t flow, size_t& local);

  // Its send size is settled when the path is known, before any worker has started.
  Plan plan_;
  const Worker::Loop loop_;
  const OnEvent on_event_;
  Shared shared_;
  Fd wake_event_;
  Fd stop_event_;
  std::vector<std::shared_ptr<Fd>> listeners_;
  uint16_t port_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::atomic<bool> go_{false};
  std::atomic<bool> stop_{false};
  std::atomic<bool> ready_{false};
  std::atomic<bool> ended_{false};
  std::atomic<uint64_t> opened_ns_{0};

  // Guards the workers' CPU clocks (a joined thread has none), the flows' sockets once they are handed out, the stage's
  // transitions and what is noted at them.
  mutable std::mutex mutex_;
  bool joined_ = false;
  uint64_t cpu_at_open_ns_ = 0;
  uint64_t worker_cpu_ns_ = 0;

  TcpInfos info_at_open_;

  // The session's own thread only, until ended.
  std::optional<Pacer> pacer_;
  std::optional<UdpDoor> door_;
  std::optional<uint64_t> drops_at_open_;
  std::optional<uint64_t> drops_at_close_;
  uint64_t drops_at_end_ = 0;
  TcpInfos info_at_close_;
  std::vector<int> incoming_at_close_;
  SocketFacts facts_;
  std::optional<TcpState> tcp_state_;
  Fault fault_;

  std::thread thread_;
};

}  // namespace cnb
