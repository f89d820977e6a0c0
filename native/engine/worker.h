#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/buffer.h"
#include "core/epoll_set.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/fd_slot.h"
#include "core/socket.h"
#include "engine/plan.h"
#include "engine/recorder.h"

namespace cnb {

// What all workers of a session share. Written by the session, read by workers; alone on its cache line.
struct alignas(64) Shared {
  std::atomic<Stage> stage{Stage::warmup};
  // Opens once every flow is up and the session was told to go.
  std::atomic<bool> gate{false};
  // When the window closed, ns; 0 before. Known to whoever sees the wind-down.
  std::atomic<uint64_t> closed_ns{0};
};

// One pinned thread with everything it touches while traffic runs: its flows, buffers and counters.
class Worker {
 public:
  using Loop = void (*)(Worker&);

  struct Setup {
    const Plan& plan;
    Shared& shared;
    size_t index;
    // First flow of this worker in the session's numbering, and how many it owns.
    size_t first_flow;
    size_t flow_count;
    // Readable for ever once the session stops: an epoll loop watches it.
    int stop_event;
    // Written by the worker when its set-up or its loop has ended, to wake the session.
    int wake_event;
  };

  explicit Worker(const Setup& setup);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // --- the session's thread ---
  void start(Loop loop);
  bool started() const { return thread_.joinable(); }
  bool armed() const { return state_.load(std::memory_order_acquire) >= State::armed; }
  bool done() const { return state_.load(std::memory_order_acquire) == State::done; }
  // Breaks the worker out of a blocking call. Repeated until done().
  void interrupt();
  void join();
  // CPU time of the thread so far, ns; 0 when it is not running.
  uint64_t cpu_ns() const;
  int cpu() const { return plan().cpus[setup_.index]; }
  const Fault& fault() const { return fault_; }  // after done()
  void adopt(size_t local_flow, Fd fd) { flows_[local_flow] = std::move(fd); }
  // With a reset where the test was given up: it ends a peer that TCP's closing alone may leave sending into a window
  // of nothing for a minute.
  void release_sockets(bool given_up);
  void adopt_listener(std::shared_ptr<Fd> listener) { listener_ = std::move(listener); }
  Recorder& recorder_of(Stage stage) { return recorders_[stage == Stage::window]; }
  const Recorder& window() const { return recorders_[1]; }
  const Recorder& outside() const { return recorders_[0]; }
  bool huge_pages() const { return huge_; }
  // The NUMA node that its memory comes from by preference, -1 without one; once armed.
  int memory_node() const { return memory_node_; }
  uint64_t backlog() const { return backlog_; }  // after done()

  // --- the loop, on the worker's own thread ---
  const Plan& plan() const { return setup_.plan; }
  Stage stage() const { return setup_.shared.stage.load(std::memory_order_acquire); }
  bool stopping() const { return stage() == Stage::stop; }
  // Whether nothing new is to be started: flows to foreign peers end in band in wind-down, others when stopped.
  bool finishing() const { return stage() >= (plan().foreign ? Stage::winddown : Stage::stop); }
  uint64_t window_closed_ns() const { return setup_.shared.closed_ns.load(std::memory_order_acquire); }
  // Requests that were due before the window closed and not sent by then.
  void add_backlog(uint64_t requests) { backlog_ += requests; }
  bool reached_limit(uint64_t done) const { return plan().limit != 0 && done >= plan().limit; }
  Recorder& recorder() { return recorder_of(stage()); }
  size_t flow_count() const { return setup_.flow_count; }
  size_t first_flow() const { return setup_.first_flow; }
  int flow_fd(size_t local_flow) const { return flows_[local_flow].get(); }
  int listener_fd() const { return listener_->get(); }
  int stop_event() const { return setup_.stop_event; }
  // Engine epoll only.
  EpollSet& epoll() { return *epoll_; }
  FdSlot& slot() { return slot_; }
  Buffer& send_buffer() { return send_; }
  Buffer& recv_buffer() { return recv_; }
  // Notes what ends the loop. From wind-down on the peer's going away is no news, and nothing is noted.
  void fail(const char* syscall, int err, int fd = -1);
  void fail_peer_closed(int fd);

 private:
  enum class State { created, armed, done };

  void main(Loop loop);
  void traffic(Loop loop);
  void allocate_buffers();
  void advance(State state);
  void note(Fault fault);

  Setup setup_;
  Recorder recorders_[2];
  std::vector<Fd> flows_;
  std::shared_ptr<Fd> listener_;
  FdSlot slot_;
  // Made before the worker is armed, so that a shortage of descriptors is found before the test begins.
  std::optional<EpollSet> epoll_;
  Buffer send_;
  Buffer recv_;
  bool huge_ = false;
  int memory_node_ = -1;
  uint64_t backlog_ = 0;
  Fault fault_;
  std::atomic<State> state_{State::created};
  std::thread thread_;
};

}  // namespace cnb
