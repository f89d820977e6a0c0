#pragma once

#include "engine/worker.h"

namespace cnb::fuzz {

// A worker with its buffers and counters whose thread waits, so that what loops do with it can be done on this one. It
// and its flow live until the process ends.
Worker& parked_worker(const Plan& plan, Fd flow);

}  // namespace cnb::fuzz
