#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/socket.h"
#include "engine/plan.h"
#include "engine/worker.h"
#include "io/source_ports.h"
#include "loops/open_loop.h"

namespace cnb {

// What the engines of TCP_CRR share, and TCP_CC, which is the same with messages of no bytes.

// The clock (ns) at the steps of one transaction.
struct CrrTimes {
  uint64_t started = 0;    // before socket()
  uint64_t connected = 0;  // connect has succeeded
  uint64_t answered = 0;   // the response's last byte is here (not TCP_CC)
  uint64_t closed = 0;     // after close()
};

SocketOptions crr_socket_options(const Plan& plan);
// Options, linger and source address of a socket that is about to connect. Throws SystemError.
void prepare_client_socket(int fd, const Plan& plan, const SocketOptions& options, SourcePorts& ports);
// `due`: when the transaction counts from, ns: its start, or in an open loop when it was due.
void record_transaction(Worker& worker, size_t flow, const CrrTimes& times, uint64_t due);
// Counts a failed transaction and lets the run go on; false when the worker must end: it is stopping, or the process
// has run out of descriptors or memory, which is the generator's failure and not the network's.
bool count_failure(Worker& worker, size_t flow, bool connected, int err);
void count_served(Worker& worker);

// Flows whose last attempt failed. They pause together for a moment, so that a spent port range or a refusing peer is
// not hammered by a busy loop.
class PausedFlows {
 public:
  static constexpr uint64_t kPauseNs = 1'000'000;

  explicit PausedFlows(size_t most) { flows_.reserve(most); }

  bool empty() const { return flows_.empty(); }
  // When the pause is over, ns; only where a flow is in it.
  uint64_t resume_at() const { return resume_at_; }
  void add(size_t flow) {
    if (flows_.empty()) resume_at_ = now_ns() + kPauseNs;
    flows_.push_back(flow);
  }
  // Once the pause is over, calls begin(flow, now) for each; false as soon as that returns false. begin() may add a
  // flow again, for the next pause.
  template <typename Begin>
  bool resume(Begin begin) {
    if (flows_.empty()) return true;
    const uint64_t now = now_ns();
    if (now < resume_at_) return true;
    resume_at_ = now + kPauseNs;
    const size_t count = flows_.size();
    for (size_t i = 0; i < count; i++) {
      if (!begin(flows_[i], now_ns())) return false;
    }
    flows_.erase(flows_.begin(), flows_.begin() + static_cast<ptrdiff_t>(count));
    return true;
  }

 private:
  std::vector<size_t> flows_;
  uint64_t resume_at_ = 0;
};

// Drives the flows of a client that has many in flight, however it waits. `Steps` has begin(flow, now), which starts
// the flow's next connection, and serve_until(at), which waits no longer than that (ns of CLOCK_MONOTONIC) and serves
// what has come; like everything here, both return false when the worker is finished.
class CrrDriver {
 public:
  explicit CrrDriver(Worker& worker) : worker_(worker), paused_(worker.flow_count()) {}

  template <typename Steps>
  void run(Steps& steps) {
    if (worker_.plan().open_loop()) return run_open(steps);
    const auto begin = [&](size_t flow, uint64_t now) { return steps.begin(flow, now); };
    for (size_t i = 0; i < worker_.flow_count(); i++) {
      if (!begin(i, now_ns())) return;
    }
    while (!worker_.stopping()) {
      if (!steps.serve_until(resume_at()) || !paused_.resume(begin)) return;
    }
  }

  // The flow's transaction is complete and its socket closed.
  template <typename Steps>
  bool succeeded(Steps& steps, size_t flow, const CrrTimes& times) {
    if (open_) {
      record_transaction(worker_, flow, times, open_->settle(flow));
      return true;
    }
    record_transaction(worker_, flow, times, times.started);
    return worker_.stopping() || steps.begin(flow, times.closed);
  }

  bool failed(size_t flow, bool connected, int err) {
    paused_.add(flow);
    return count_failure(worker_, flow, connected, err);
  }

 private:
  template <typename Steps>
  void run_open(Steps& steps) {
    open_.emplace(worker_, 1);
    const auto start_due = [&](size_t flow) { return steps.begin(flow, now_ns()); };
    const auto resume = [this](size_t flow, uint64_t) {
      open_->settle(flow);
      return true;
    };
    while (!worker_.stopping()) {
      if (!open_->send_due(now_ns(), start_due)) return;
      if (!steps.serve_until(std::min(open_->next(), resume_at())) || !paused_.resume(resume)) return;
    }
  }

  uint64_t resume_at() const { return paused_.empty() ? UINT64_MAX : paused_.resume_at(); }

  Worker& worker_;
  PausedFlows paused_;
  std::optional<OpenLoop> open_;
};

// A server closes a connection that does nothing for one to two of these: it holds a descriptor.
constexpr uint64_t kCrrIdleNs = 5'000'000'000;

// The server's door: the addresses that the client declared.
class AllowedPeers {
 public:
  explicit AllowedPeers(const Plan& plan);
  bool allows(const Address& peer) const;

 private:
  std::vector<Address> peers_;
};

}  // namespace cnb
