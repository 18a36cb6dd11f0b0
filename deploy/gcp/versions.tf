# The project's resources on Google Cloud, which deploy/overlays/gke and deploy/training run on.
#
#   gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com
#   cp example.tfvars terraform.tfvars            # and replace its values
#   export TF_VAR_database_password=...           # stored neither in a file nor in the state
#   terraform init -backend-config="bucket=STATE_BUCKET"
#   terraform apply
terraform {
  required_version = ">= 1.11.0, < 2.0.0" # write-only arguments

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  backend "gcs" {
    prefix = "football"
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Budgets are resources of the billing account: their API counts the calls to a project.
  billing_project       = var.project
  user_project_override = true

  default_labels = {
    application = "football"
  }
}
