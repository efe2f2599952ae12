#if Topology
  import TestSupport
  import Testing

  /// Pictures beside logs whose names gnuplot could take for something else.
  @Suite struct PictureTests {
    @Test func logsOfAnyNameHaveTheirPictures() throws {
      let folder = try TemporaryFolder()
      let run = try CommandRun.run([
        "train", folder.write("text", wordyText), "--out", folder.path("m.safetensors"), "--n", "64",
        "--d", "16", "--heads", "2", "--layers", "2", "--block", "32", "--batch", "2", "--threads", "1",
        "--steps", "20", "--sample", "0", "--log", folder.path("it's.csv"), "--log-topology",
        folder.path("<touch 'run' ''s.csv"),
      ])
      try #require(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
      #expect(run.output.contains("it's.svg and .png"), "\(run.output)")
      for name in ["it's.svg", "it's.png", "<touch 'run' ''s.svg", "<touch 'run' ''s.png"] {
        #expect(folder.names.contains(name), "\(name) of \(folder.names)")
      }
    }
  }
#endif
