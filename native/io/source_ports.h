#pragma once

#include <cstddef>
#include <cstdint>

#include "core/socket.h"
#include "engine/flow_setup.h"
#include "engine/plan.h"

namespace cnb {

// Chooses the local end of each connection of one CRR flow.
//
// Normally that is the kernel's job, with the addresses of the plan in turn. With a port range the flow walks its own
// share of it, every port once before any comes again: a port whose connection this side closed first stays in
// TIME_WAIT for 60 s, and the longest possible time passes before it is tried again. No two flows ever try the same
// port.
class SourcePorts {
 public:
  // `flow` of plan.flows, in the session's numbering. More flows than ports share them.
  SourcePorts(const Plan& plan, size_t flow);

  // Binds where binding is asked for, passing over ports that other programs hold. Throws SystemError.
  void bind_next(int fd);

 private:
  Address next();

  SourceAddresses addresses_;
  Address any_;
  uint16_t first_ = 0;
  size_t ports_ = 0;
  size_t turn_ = 0;
};

}  // namespace cnb
