import CKernels
import Foundation
import HatchlingNumerics
import TestSupport
import Testing

/// The whole command beside a library that is loaded before OpenBLAS and pretends: that OpenBLAS does not know the processor, that a
/// core multiplies wrongly, that it crashes.
@Suite struct BLASCoreTests {
  /// Answers OpenBLAS's first look at its variable with PRETEND_FOUND; products with core PRETEND_WRONG or PRETEND_CRASH go wrong.
  private static let pretence = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <string.h>
    #include <strings.h>
    char *openblas_get_corename(void);
    char *getenv(const char *name) {
      static char *(*real)(const char *);
      static int looked;
      if (!real) real = (char *(*)(const char *))dlsym(RTLD_NEXT, "getenv");
      char *found = real("PRETEND_FOUND");
      if (found && !strcmp(name, "OPENBLAS_CORETYPE") && !looked++) return found;
      return real(name);
    }
    static int has(const char *what) {
      char *core = getenv(what);
      return core && !strcasecmp(core, openblas_get_corename());
    }
    void cblas_sgemm(int o, int ta, int tb, int m, int n, int k, float x, const float *a, int la, const float *b, int lb,
                     float y, float *c, int lc) {
      ((void (*)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                 int))dlsym(RTLD_NEXT, "cblas_sgemm"))(o, ta, tb, m, n, k, x, a, la, b, lb, y, c, lc);
      if (has("PRETEND_WRONG")) c[0] += 1;
      if (has("PRETEND_CRASH")) __builtin_trap();
    }
    """

  struct Report: Decodable { let machine: Machine }

  private func core(_ environment: [String: String]) throws -> BLAS.Core {
    let folder = try TemporaryFolder()
    let source = try folder.write("pretence.c", Self.pretence.utf8)
    let library = folder.path("pretence.so")
    let compiled = try CommandRun.run(
      ["clang", "-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"], program: "/usr/bin/env")
    try #require(compiled.status == 0, "\(compiled.errors)")
    var settings = environment
    settings["LD_PRELOAD"] = library
    let run = try CommandRun.run(
      ["-u", "OPENBLAS_CORETYPE", "-u", "HATCHLING_BLAS_CORE"]
        + settings.map { "\($0)=\($1)" } + [CommandRun.binary.path, "info", "--json"],
      program: "/usr/bin/env")
    try #require(run.status == 0, "\(run.errors)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Report.self, from: Data(run.output.utf8)).machine.blas
  }

  /// What this processor should have where OpenBLAS chose Prescott; nil without AVX2.
  private static let best: String? = hatchling_blas_better_here("Prescott").map { String(cString: $0) }

  @Test(.enabled(if: best != nil, "a processor without AVX2"))
  func anUnknownProcessorGetsWhatItsFeaturesAllow() throws {
    let chosen = try core(["PRETEND_FOUND": "Prescott"])
    #expect(chosen.found == "Prescott" && chosen.name == Self.best && chosen.chosenBy == .features)
    #expect(chosen.better == nil && chosen.refused == nil)
  }

  @Test(.enabled(if: best != nil, "a processor without AVX2"))
  func usersDecide() throws {
    let typed = try core(["OPENBLAS_CORETYPE": "Prescott", "HATCHLING_BLAS_CORE": "Nehalem"])
    #expect(typed.name == "Prescott" && typed.chosenBy == .coreType && typed.better == Self.best)
    let forced = try core(["HATCHLING_BLAS_CORE": "nehalem"])
    #expect(forced.name == "Nehalem" && forced.chosenBy == .forced && forced.better == Self.best)
    let unknown = try core(["HATCHLING_BLAS_CORE": "Abacus"])
    // As if nothing had been said: OpenBLAS's own choice, or a better one where it does not know the processor.
    #expect(try unknown.name == core([:]).name && unknown.refused == "Abacus" && unknown.fault == .missing)
  }

  @Test(.enabled(if: best != nil, "a processor without AVX2"), arguments: ["WRONG", "CRASH"])
  func aCoreThatFailsIsNotUsed(_ fault: String) throws {
    let best = try #require(Self.best)
    let chosen = try core(["PRETEND_FOUND": "Prescott", "PRETEND_\(fault)": best])
    #expect(chosen.name != best && chosen.refused == best)
    #expect(chosen.fault == (fault == "WRONG" ? .wrong : .crashed) && chosen.chosenBy == .openBLAS)
  }
}
