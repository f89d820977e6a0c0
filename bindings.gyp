# The addon, as node-gyp builds it on install. CMakeLists.txt builds the same from the same lists of sources.
{
  # 1 for the binaries that `npm run prebuild` puts into the package: they run with C libraries other than the one that they were built with.
  "variables": { "portable%": 0 },
  "targets": [
    {
      "target_name": "cnb_load",
      "sources": ["<!@(sed '/^#/d' native/sources-core.txt native/sources-binding.txt)"],
      "include_dirs": ["native"],
      # The last: where a thread is being terminated no call of Node's succeeds any more, and an exception has nobody to go to but
      # std::terminate(), which would end the whole process.
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc": [
        "-std=c++20",
        "-fexceptions",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden",
        "-Wall",
        "-Wextra",
        "-Wshadow",
        "-Wconversion",
        "-Wnon-virtual-dtor",
        # As a system directory, so that the warnings above speak of this project only.
        "-isystem<!(node -p \"path.dirname(require.resolve('node-addon-api'))\")"
      ],
      # libstdc++ and libgcc are linked dynamically where the addon is compiled on the machine that runs it.
      "ldflags": ["-pthread"],
      "conditions": [
        [
          "portable==1",
          {
            "sources": ["native/portable/libc.cc"],
            # Says nothing on 64-bit systems but to call functions by names such as fcntl64, which the older libraries do not all have.
            "defines!": ["_FILE_OFFSET_BITS=64"],
            "ldflags": [
              "-static-libstdc++",
              "-static-libgcc",
              "-Wl,--gc-sections",
              "-Wl,--strip-all",
              "-Wl,--version-script=<(module_root_dir)/native/portable/exports.map"
            ]
          }
        ]
      ],
      "configurations": {
        # -O3 unrolls and clones loops that wait for system calls anyway; -O2 keeps them small and their instruction counts readable.
        "Release": { "cflags!": ["-O3"], "cflags": ["-O2"] }
      }
    }
  ]
}
