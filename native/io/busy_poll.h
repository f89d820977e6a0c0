#pragma once

#include "engine/worker.h"

namespace cnb {

// Lets receives on the worker's flows poll the network device's queue themselves (SO_BUSY_POLL, socket(7)), where there
// is a device that can be polled and this process may ask for it (CAP_NET_ADMIN); elsewhere nothing changes.
void ask_for_busy_poll(const Worker& worker);

}  // namespace cnb
