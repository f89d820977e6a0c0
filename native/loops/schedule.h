#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/plan.h"

namespace cnb {

// When the requests of one flow are due, by the plan's rate. All flows have an equal share of it, and a phase of their
// own.
class Schedule {
 public:
  // `flow`: its number in the session. Times are ns of CLOCK_MONOTONIC.
  Schedule(const Plan& plan, size_t flow, uint64_t start);

  // When the next request is due.
  uint64_t due() const { return start_ + static_cast<uint64_t>(offset_); }
  void advance() { offset_ += gap(); }
  // How many are due up to a moment, the next one included; of Poisson's the mean, once more than the next one are.
  uint64_t due_until(uint64_t at) const;

 private:
  double gap();
  double uniform();

  uint64_t start_;
  // Between two requests on average, ns.
  double mean_gap_;
  bool constant_;
  uint64_t state_;
  // Of the next request from the start, ns. 53 bits count nanoseconds for a hundred days.
  double offset_;
};

}  // namespace cnb
