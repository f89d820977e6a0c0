#pragma once

#include "session_pair.h"

namespace cnb::test {

inline constexpr Engine kUdpEngines[] = {Engine::block, Engine::epoll, Engine::spin};
// Far beyond what a busy machine holds an answer up for.
inline constexpr int kPatientMs = 20'000;

inline Plan udp_plan(LoopKind loop, Engine engine, uint32_t flows) {
  Plan plan = plan_for(loop, engine, flows);
  plan.udp.emplace();
  plan.udp->retry_ms = kPatientMs;
  plan.send_size = 1'000;
  return plan;
}

inline SocketOptions no_options() {
  SocketOptions options;
  options.no_delay = false;
  return options;
}

}  // namespace cnb::test
