// What the compiler's runtime libraries and glibc's headers take of glibc 2.29 and later, or of glibc alone: defined
// here, so that one binary runs with older glibc and with musl. In `npm run prebuild` only; hidden, like everything.

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>

#include <cstdint>
#include <cstdlib>

extern "C" {

// glibc 2.32: whether libstdc++ may count references without atomic operations. Never: the loops run in threads.
char __libc_single_threaded = 0;

// glibc only: CPU_ALLOC and CPU_FREE.
cpu_set_t* __sched_cpualloc(size_t count) noexcept {
  return static_cast<cpu_set_t*>(std::malloc(CPU_ALLOC_SIZE(count)));
}
void __sched_cpufree(cpu_set_t* set) noexcept { std::free(set); }

// glibc only: another name, by which libstdc++ and libgcc call it.
int __pthread_key_create(pthread_key_t* key, void (*destroy)(void*)) noexcept {
  return pthread_key_create(key, destroy);
}

// glibc only: another name, by which libgcc asks whether an arm64 CPU has atomic instructions.
unsigned long __getauxval(unsigned long type) noexcept { return getauxval(type); }
}

namespace {

struct Search {
  uintptr_t address;
  dl_find_object* found;
};

int examine(dl_phdr_info* object, size_t, void* argument) {
  const auto& search = *static_cast<Search*>(argument);
  bool holds = false;
  const ElfW(Phdr)* frames = nullptr;
  for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_GNU_EH_FRAME) frames = &segment;
    if (segment.p_type != PT_LOAD || search.address - start >= segment.p_memsz) continue;
    holds = true;
    search.found->dlfo_map_start = reinterpret_cast<void*>(start);
    search.found->dlfo_map_end = reinterpret_cast<void*>(start + segment.p_memsz);
  }
  if (!holds || frames == nullptr) return 0;
  search.found->dlfo_eh_frame = reinterpret_cast<void*>(object->dlpi_addr + frames->p_vaddr);
  return 1;
}

}  // namespace

// glibc 2.35: where libgcc's unwinder finds the frames of the function at an address, as older ones did it.
extern "C" int _dl_find_object(void* address, dl_find_object* result) noexcept {
  Search search = {reinterpret_cast<uintptr_t>(address), result};
  return dl_iterate_phdr(examine, &search) == 1 ? 0 : -1;
}
