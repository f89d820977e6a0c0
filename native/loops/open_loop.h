#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/worker.h"
#include "loops/schedule.h"

namespace cnb {

// Requests at a given rate (an open loop), instead of each upon the answer to the one before (a closed loop, which has
// none of this). A flow has a limited number of them under way; what is due beyond that waits here, and its latency
// counts from when it was due all the same.
class OpenLoop {
 public:
  // The schedules begin now. `most`: requests that a flow may have under way.
  OpenLoop(Worker& worker, size_t most);
  // Counts what was due in time and never sent.
  ~OpenLoop();
  OpenLoop(const OpenLoop&) = delete;
  OpenLoop& operator=(const OpenLoop&) = delete;

  // When something is to be sent next, ns: the earliest of the flows that may send; UINT64_MAX while none may.
  uint64_t next() const { return sendable_.empty() ? UINT64_MAX : sendable_.front().due; }

  // Calls send(flow) for all that is due by now and may be sent, in the order in which it was due; false as soon as
  // that returns false.
  template <typename Send>
  bool send_due(uint64_t now, Send send) {
    while (next() <= now) {
      if (!send(take())) return false;
    }
    return true;
  }

  // When the flow's newest request under way was due, ns.
  uint64_t newest_due(size_t flow) { return due_of(flow, flows_[flow].settled + flows_[flow].under_way - 1); }

  // When the flow's oldest request under way was due, ns. It has been answered or has failed, and makes room for
  // another.
  uint64_t settle(size_t flow);

 private:
  struct Flow {
    Schedule schedule;
    size_t under_way = 0;
    size_t settled = 0;
  };
  struct Entry {
    uint64_t due;
    size_t flow;
  };

  size_t take();
  void offer(size_t flow);
  uint64_t& due_of(size_t flow, size_t number) { return due_[flow * most_ + number % most_]; }

  Worker& worker_;
  const size_t most_;
  std::vector<Flow> flows_;
  // A heap of the flows that may send, earliest first.
  std::vector<Entry> sendable_;
  // When the requests under way were due, a ring for each flow.
  std::vector<uint64_t> due_;
};

}  // namespace cnb
