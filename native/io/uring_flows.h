#pragma once

#include <cstdint>
#include <vector>

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

// Completes with kStop when the session stops, so that a waiting worker looks up.
inline void await_stop(Ring& ring, const Worker& worker) {
  poll_readable(ring.next(tag_of(kStop, 0)), worker.stop_event());
}

// A ring over the flows that a worker keeps for the whole run; each has the slot of its number.
class FlowRing : public Ring {
 public:
  explicit FlowRing(const Worker& worker) : Ring(kRequests, completions_for(worker.flow_count())) {
    std::vector<int> fds;
    for (size_t i = 0; i < worker.flow_count(); i++) fds.push_back(worker.flow_fd(i));
    register_files(fds);
    await_stop(*this, worker);
  }

  // Runs serve(completion) for all that completes until the worker stops or serve returns false.
  template <typename Serve>
  void run(const Worker& worker, Serve serve) {
    while (!worker.stopping()) {
      submit_and_wait();
      if (!reap([&](const Completion& done) { return kind_of(done.tag) == kStop || serve(done); })) return;
    }
  }

  static Target flow(size_t number) { return {static_cast<int>(number), true}; }

 private:
  static constexpr uint32_t kRequests = 1024;
  // Some for each flow. More than that only costs the kernel a detour.
  static uint32_t completions_for(size_t flows) { return std::max<uint32_t>(4096, static_cast<uint32_t>(4 * flows)); }
};

// The receiving side of such a ring: standing requests that every arrival completes once more.
class FlowReceiver {
 public:
  FlowReceiver(FlowRing& ring, Worker& worker, Kind kind, size_t size) : ring_(ring), kind_(kind) {
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
  void arm(size_t flow) { receive_multishot(ring_.next(tag_of(kind_, flow)), FlowRing::flow(flow)); }

  FlowRing& ring_;
  const Kind kind_;
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
