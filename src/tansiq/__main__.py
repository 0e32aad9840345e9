from tansiq.cli import main

if __name__ == "__main__":  # the web server's processes may read this file again
    main()
