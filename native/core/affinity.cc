#include "core/affinity.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "core/error.h"

namespace cnb {

namespace {

struct CpuSetFree {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};
using CpuSet = std::unique_ptr<cpu_set_t, CpuSetFree>;

CpuSet allocate_cpu_set(int cpus) {
  CpuSet set(CPU_ALLOC(static_cast<size_t>(cpus)));
  if (!set) throw SystemError("sched_getaffinity", ENOMEM);
  CPU_ZERO_S(CPU_ALLOC_SIZE(static_cast<size_t>(cpus)), set.get());
  return set;
}

}  // namespace

std::vector<int> allowed_cpus() {
  // The kernel answers EINVAL until the set is at least as large as its own (nr_cpu_ids): sched_getaffinity(2).
  for (int cpus = 1024;; cpus *= 2) {
    const CpuSet set = allocate_cpu_set(cpus);
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    if (sched_getaffinity(getpid(), bytes, set.get()) != 0) {
      if (errno == EINVAL && cpus < (1 << 20)) continue;
      throw_errno("sched_getaffinity");
    }
    std::vector<int> allowed;
    for (int cpu = 0; cpu < cpus; cpu++) {
      if (CPU_ISSET_S(static_cast<size_t>(cpu), bytes, set.get())) allowed.push_back(cpu);
    }
    return allowed;
  }
}

int current_cpu() { return checked(sched_getcpu(), "getcpu"); }

void pin_to_cpu(int cpu) {
  const CpuSet set = allocate_cpu_set(cpu + 1);
  const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpu) + 1);
  CPU_SET_S(static_cast<size_t>(cpu), bytes, set.get());
  if (sched_setaffinity(0, bytes, set.get()) != 0) throw_errno("sched_setaffinity", "cpu " + std::to_string(cpu));
}

}  // namespace cnb
