import Testing

/// What the fuzz targets begin with, without the fuzzer.
@Suite struct ReplayTests {
  @Test(arguments: FuzzTarget.allCases)
  func seedsPass(target: FuzzTarget) throws {
    let seeds = try target.seeds()
    #expect(!seeds.isEmpty)
    for seed in seeds { try target.run(seed) }
  }
}
