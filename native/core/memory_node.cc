#include "core/memory_node.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <vector>

namespace cnb {

// Preferred, not bound: on a full node a bound thread is killed for want of memory, and a measurement with some pages
// far away is still one. By raw system calls: libnuma is no part of a usual system, and glibc's getcpu is of 2.29.
std::optional<int> prefer_own_node() {
  int mode = MPOL_DEFAULT;
  if (syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0) != 0 || mode != MPOL_DEFAULT) return std::nullopt;
  unsigned node = 0;
  if (syscall(SYS_getcpu, nullptr, &node, nullptr) != 0) return std::nullopt;
  constexpr size_t kBits = sizeof(unsigned long) * CHAR_BIT;
  std::vector<unsigned long> nodes(node / kBits + 1);
  nodes[node / kBits] = 1UL << (node % kBits);
  // The kernel takes one less than the number of bits that it is told (get_nodes, mm/mempolicy.c).
  if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, nodes.data(), nodes.size() * kBits + 1) != 0) return std::nullopt;
  return static_cast<int>(node);
}

}  // namespace cnb
