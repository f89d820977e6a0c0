#include "loops/open_loop.h"

#include <algorithm>

#include "core/clock.h"

namespace cnb {

namespace {

constexpr auto kLater = [](const auto& a, const auto& b) { return a.due > b.due; };

}  // namespace

OpenLoop::OpenLoop(Worker& worker, size_t most) : worker_(worker), most_(most), due_(worker.flow_count() * most) {
  const uint64_t start = now_ns();
  flows_.reserve(worker.flow_count());
  sendable_.reserve(worker.flow_count());
  for (size_t i = 0; i < worker.flow_count(); i++) {
    flows_.push_back({Schedule(worker.plan(), worker.first_flow() + i, start)});
    offer(i);
  }
}

OpenLoop::~OpenLoop() {
  // A loop that a fault ends before the window does ends the window as well.
  const uint64_t closed = worker_.stage() >= Stage::winddown ? worker_.window_closed_ns() : now_ns();
  for (const Flow& flow : flows_) worker_.add_backlog(flow.schedule.due_until(closed));
}

uint64_t OpenLoop::settle(size_t flow) {
  Flow& settled = flows_[flow];
  const uint64_t due = due_of(flow, settled.settled++);
  if (settled.under_way-- == most_) offer(flow);
  return due;
}

size_t OpenLoop::take() {
  std::pop_heap(sendable_.begin(), sendable_.end(), kLater);
  const auto [due, flow] = sendable_.back();
  sendable_.pop_back();
  if (worker_.stage() >= Stage::winddown && due <= worker_.window_closed_ns()) worker_.add_backlog(1);
  Flow& taken = flows_[flow];
  due_of(flow, taken.settled + taken.under_way) = due;
  taken.schedule.advance();
  if (++taken.under_way < most_) offer(flow);
  return flow;
}

void OpenLoop::offer(size_t flow) {
  sendable_.push_back({flows_[flow].schedule.due(), flow});
  std::push_heap(sendable_.begin(), sendable_.end(), kLater);
}

}  // namespace cnb
