#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/clock.h"
#include "engine/worker.h"

namespace cnb {

// When the next send of a worker is due, whose flows take turns. For senders that keep the pace by their calls: UDP has
// no pace of its own (SO_MAX_PACING_RATE counts only where the queueing discipline is fq), and what a paced connection
// has in its buffer would outlast a test that ends in band.
class SendPace {
 public:
  SendPace(const Worker& worker, size_t bytes_per_send) : next_(static_cast<double>(now_ns())) {
    uint64_t share = 0;
    for (size_t i = 0; i < worker.flow_count(); i++) share += worker.plan().share_of_bandwidth(worker.first_flow() + i);
    gap_ = 1e9 * static_cast<double>(bytes_per_send) / static_cast<double>(share);
  }

  uint64_t next() const { return static_cast<uint64_t>(next_); }
  void advance(uint64_t now) {
    next_ += gap_;
    next_ = std::max(next_, static_cast<double>(now) - kForgottenNs);
  }

 private:
  // What a worker is behind beyond this is forgotten: to make up for it would be one long burst.
  static constexpr double kForgottenNs = 50e6;
  double next_;
  double gap_;
};

}  // namespace cnb
