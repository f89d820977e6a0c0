// Where a pinned thread's memory comes from, as the kernel tells it.

#include "core/memory_node.h"

#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "core/affinity.h"
#include "core/buffer.h"

namespace cnb::test {

namespace {

constexpr size_t kMaxNodes = 1024;
using NodeMask = unsigned long[kMaxNodes / (8 * sizeof(unsigned long))];

// Policies are a thread's own.
template <typename Body>
void on_pinned_thread(Body body) {
  std::thread([&] {
    pin_to_cpu(allowed_cpus().back());
    body();
  }).join();
}

// Containers may be without these calls, or without the capability that they need there.
bool kernel_allows() {
  NodeMask nodes{1};
  bool allowed = false;
  std::thread([&] { allowed = syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, nodes, kMaxNodes + 1) == 0; }).join();
  return allowed;
}

TEST(MemoryNode, IsThatOfThePinnedThreadsCpu) {
  if (!kernel_allows()) GTEST_SKIP() << "set_mempolicy is refused here";
  on_pinned_thread([] {
    unsigned own = 0;
    ASSERT_EQ(syscall(SYS_getcpu, nullptr, &own, nullptr), 0);
    const auto node = prefer_own_node();
    ASSERT_TRUE(node);
    EXPECT_EQ(static_cast<unsigned>(*node), own);
    int mode = 0;
    NodeMask nodes{};
    ASSERT_EQ(syscall(SYS_get_mempolicy, &mode, nodes, kMaxNodes + 1, nullptr, 0), 0);
    EXPECT_EQ(mode, MPOL_PREFERRED);
    constexpr size_t kBits = 8 * sizeof(unsigned long);
    for (size_t i = 0; i < std::size(nodes); i++) EXPECT_EQ(nodes[i], i == own / kBits ? 1UL << (own % kBits) : 0UL);
    // And so is the memory that a worker makes next.
    const Buffer buffer(64 * 1024);
    int holder = -1;
    ASSERT_EQ(syscall(SYS_get_mempolicy, &holder, nullptr, 0, buffer.data(), MPOL_F_NODE | MPOL_F_ADDR), 0);
    EXPECT_EQ(holder, *node);
  });
}

TEST(MemoryNode, StaysWhereAPolicyWasGiven) {
  if (!kernel_allows()) GTEST_SKIP() << "set_mempolicy is refused here";
  on_pinned_thread([] {
    NodeMask nodes{1};
    ASSERT_EQ(syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, nodes, kMaxNodes + 1), 0);
    EXPECT_FALSE(prefer_own_node());
    int mode = 0;
    ASSERT_EQ(syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0), 0);
    EXPECT_EQ(mode, MPOL_INTERLEAVE);
  });
}

}  // namespace

}  // namespace cnb::test
