#include "fuzz/parked_worker.h"

#include <unistd.h>

#include "fuzz/loopback.h"

namespace cnb::fuzz {

namespace {

struct Parked {
  explicit Parked(const Plan& given)
      : plan(given), wake(raised_event()), worker({plan, shared, 0, 0, 1, -1, wake.get()}) {}

  const Plan plan;
  Shared shared;
  const Fd wake;
  std::atomic<bool> waiting{false};
  Worker worker;
};

// The one whose thread is starting.
std::atomic<Parked*> starting;

void park(Worker&) {
  starting.load()->waiting = true;
  for (;;) pause();
}

}  // namespace

Worker& parked_worker(const Plan& plan, Fd flow) {
  // Never freed: its thread never ends.
  auto* parked = new Parked(plan);
  static std::vector<Parked*> all;
  all.push_back(parked);
  starting = parked;
  parked->worker.adopt(0, std::move(flow));
  parked->shared.stage = Stage::window;
  parked->shared.gate = true;
  parked->worker.start(park);
  while (!parked->waiting) sched_yield();
  return parked->worker;
}

}  // namespace cnb::fuzz
