#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/plan.h"

namespace cnb {

// Keeps the flows of a sender at the plan's bandwidth. TCP itself spreads the segments (SO_MAX_PACING_RATE), but it
// never goes faster than it was told to and forgets what a late timer has cost: on a host that is busy that is some per
// cent. So what the peer has acknowledged is held against what was due, several times a second, and a flow that is
// behind is told to go a little faster for a while. No worker knows of this.
class Pacer {
 public:
  // Flows start at their pace; adjust() keeps them there.
  explicit Pacer(const Plan& plan) : plan_(plan), flows_(plan.flows) {}

  void start(size_t flow, int fd);
  void adjust(size_t flow, int fd);
  // Between two rounds of adjustments: seldom enough that the calls for all flows cost no more than some per cent of a
  // CPU.
  std::chrono::milliseconds period() const;

 private:
  struct Flow {
    // From when on bytes are due, ns, and how many had been acknowledged then. 0: none were yet.
    uint64_t since = 0;
    uint64_t base = 0;
  };

  const Plan& plan_;
  std::vector<Flow> flows_;
};

}  // namespace cnb
