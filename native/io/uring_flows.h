#pragma once

#include <cstdint>
#include <vector>

#include "core/clock.h"
#include "engine/worker.h"
#include "io/uring.h"
#include "io/uring_requests.h"

namespace cnb::uring {

// What a completion is about: a kind, chosen by the loop, and the number of a flow or connection.
using Kind = uint8_t;
constexpr Kind kStop = 0;

constexpr uint64_t tag_of(Kind kind, uint64_t number) { return uint64_t{kind} << 56 | number; }
constexpr Kind kind_of(uint64_t tag) { return static_cast<Kind>(tag >> 56); }
constexpr uint64_t number_of(uint64_t tag) { return tag & (~uint64_t{0} >> 8); }

// A moment (ns of CLOCK_MONOTONIC; UINT64_MAX: never) as the time-out of a wait that begins now.
inline uint64_t ns_until(uint64_t at) {
  if (at == UINT64_MAX) return 0;
  const uint64_t now = now_ns();
  return at > now ? at - now : 1;
}

// The ring of a worker with that many connections at a time. It completes kStop when the session stops, so that a
// waiting worker looks up.
class WorkerRing : public Ring {
 public:
  WorkerRing(const Worker& worker, size_t connections) : Ring(kRequests, completions_for(connections)) {
    poll_readable(next(tag_of(kStop, 0)), worker.stop_event());
  }

  // Runs serve(completion) for all that completes until the worker stops or serve returns false. Before each wait
  // prepare() says when it is to end at the latest, ns of CLOCK_MONOTONIC.
  template <typename Serve, typename Prepare>
  void run(const Worker& worker, Serve serve, Prepare prepare) {
    while (!worker.stopping()) {
      submit_and_wait(ns_until(prepare()));
      if (!reap([&](const Completion& done) { return kind_of(done.tag) == kStop || serve(done); })) return;
    }
  }

  template <typename Serve>
  void run(const Worker& worker, Serve serve) {
    run(worker, serve, [] { return UINT64_MAX; });
  }

 private:
  static constexpr uint32_t kRequests = 1024;
  // Some for each connection. More than that only costs the kernel a detour.
  static uint32_t completions_for(size_t connections) {
    return std::max<uint32_t>(4096, static_cast<uint32_t>(4 * connections));
  }
};

// A ring over the flows that a worker keeps for the whole run; each has the slot of its number.
class FlowRing : public WorkerRing {
 public:
  explicit FlowRing(const Worker& worker) : WorkerRing(worker, worker.flow_count()) {
    std::vector<int> fds;
    for (size_t i = 0; i < worker.flow_count(); i++) fds.push_back(worker.flow_fd(i));
    register_files(fds);
  }

  static Target flow(size_t number) { return {static_cast<int>(number), true}; }
};

// The receiving side of such a ring: standing requests that every arrival completes once more.
class FlowReceiver {
 public:
  // `flags` of recv(2). Each completion takes a buffer, and with it at most `size` bytes, with MSG_TRUNC as well.
  FlowReceiver(FlowRing& ring, Worker& worker, Kind kind, size_t size, uint32_t flags)
      : ring_(ring), kind_(kind), flags_(flags) {
    ring.provide_buffer(worker.recv_buffer(), size,
                        static_cast<uint32_t>(std::max<size_t>(64, 2 * worker.flow_count())));
    for (size_t i = 0; i < worker.flow_count(); i++) arm(i);
  }

  // The bytes that came, or a result that ends the flow: 0 (the peer closed it) or a negative errno. Nothing where the
  // request only had to be renewed.
  struct Received {
    bool nothing;
    int32_t result;
  };
  Received take(const Completion& done) {
    if (done.took_buffer()) ring_.give_back_buffer();
    const bool starved = done.result == -ENOBUFS;
    if ((done.result > 0 && !done.more()) || starved) arm(number_of(done.tag));
    return {starved, done.result};
  }

 private:
  void arm(size_t flow) { receive_multishot(ring_.next(tag_of(kind_, flow)), FlowRing::flow(flow), flags_); }

  FlowRing& ring_;
  const Kind kind_;
  const uint32_t flags_;
};

// Tells the worker of a flow that is over: result 0 or a negative errno. False when that ends the worker; in wind-down
// a flow that ends is no fault, and the others go on.
inline bool ended(Worker& worker, size_t flow, const char* call, int32_t result) {
  const int fd = worker.flow_fd(flow);
  if (result == 0) {
    worker.fail_peer_closed(fd);
  } else {
    worker.fail(call, -result, fd);
  }
  return !worker.fault();
}

}  // namespace cnb::uring
