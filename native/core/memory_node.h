#pragma once

#include <optional>

namespace cnb {

// Makes the calling thread, which is pinned, take its memory from the NUMA node of its CPU where that has any left.
// Returns the node; nothing where the kernel refuses (containers without CAP_SYS_NICE) or knows no such policy, and
// where the process has been given one of its own (numactl(8)), which stays.
std::optional<int> prefer_own_node();

}  // namespace cnb
